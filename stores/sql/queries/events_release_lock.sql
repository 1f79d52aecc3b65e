SELECT 1 AS locked
FROM {prefix}events
WHERE sequence IN (
  {parked}
)
ORDER BY sequence
{lock_rows}
