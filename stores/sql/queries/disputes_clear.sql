DELETE FROM {prefix}disputes
WHERE (source, payment) IN (SELECT value ->> 0, value ->> 2 FROM {rows ?1} AS listed)
