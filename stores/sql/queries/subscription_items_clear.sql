DELETE FROM {prefix}subscription_items
WHERE (source, subscription) IN (SELECT value ->> 0, value ->> 2 FROM {rows ?1} AS listed)
