DELETE FROM {prefix}credits
WHERE (source, invoice) IN (SELECT value ->> 0, value ->> 2 FROM {rows ?1} AS listed)
