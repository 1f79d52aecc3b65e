DELETE FROM {prefix}transitions
WHERE (object, at, change) IN (
  SELECT known.object, known.at, known.change
  FROM json_each(?1) AS anew
  CROSS JOIN {prefix}transitions AS known
    ON known.object = anew.value ->> 0 AND known.at >= anew.value ->> 1
)
