SELECT 1 AS found FROM {tables} WHERE name = '{prefix}schema'
