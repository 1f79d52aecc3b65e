SELECT max(version) FROM {prefix}schema
