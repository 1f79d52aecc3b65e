DELETE FROM {prefix}subscription_items
WHERE (source, subscription) IN (SELECT value ->> 0, value ->> 2 FROM json_each(?1))
