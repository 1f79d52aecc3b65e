INSERT INTO {prefix}schema (version) VALUES ({version})
