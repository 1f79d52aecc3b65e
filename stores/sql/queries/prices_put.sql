INSERT INTO {prefix}prices (
  source, id, product, active, unit_amount, currency, "interval", interval_count, deleted
)
SELECT
  key ->> 0,
  value ->> 'id',
  value ->> 'product',
  CAST(value ->> 'active' AS BOOLEAN),
  CAST(value ->> 'unit_amount' AS BIGINT),
  value ->> 'currency',
  value ->> 'interval',
  CAST(value ->> 'interval_count' AS BIGINT),
  CAST(value ->> 'deleted' AS BOOLEAN)
FROM {fields ?1} AS entry
WHERE true
ON CONFLICT (source, id) DO UPDATE SET
  product = excluded.product,
  active = excluded.active,
  unit_amount = excluded.unit_amount,
  currency = excluded.currency,
  "interval" = excluded."interval",
  interval_count = excluded.interval_count,
  deleted = excluded.deleted
