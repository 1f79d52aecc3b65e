CREATE TABLE IF NOT EXISTS {prefix}schema (version {integer} NOT NULL PRIMARY KEY){strict}
