SELECT CAST(max(version) AS TEXT) AS version FROM {prefix}schema
