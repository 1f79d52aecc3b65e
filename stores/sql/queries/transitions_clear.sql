DELETE FROM {prefix}transitions
WHERE (object, at, change) IN (
  SELECT known.object, known.at, known.change
  FROM {rows ?1} AS anew
  {nested} JOIN {prefix}transitions AS known
    ON known.object = anew.value ->> 0 AND known.at >= CAST(anew.value ->> 1 AS BIGINT)
)
