DELETE FROM {prefix}payments
WHERE (source, id) IN (SELECT value ->> 0, value ->> 2 FROM {rows ?1} AS listed)
