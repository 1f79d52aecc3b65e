INSERT INTO {prefix}schema (version) VALUES (?1)
