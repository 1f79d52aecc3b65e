SELECT substr(tables.name, length('{prefix}') + 1) || '.' || columns.name || ' ' || columns.type
  || CASE WHEN columns."notnull" THEN ' not null' ELSE ' null' END AS line
FROM sqlite_master AS tables
JOIN pragma_table_info(tables.name) AS columns
WHERE tables.type = 'table' AND substr(tables.name, 1, length('{prefix}')) = '{prefix}'
UNION ALL
SELECT substr(tables.name, length('{prefix}') + 1) || ' key ' || coalesce((
  SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_table_info(tables.name) WHERE pk > 0 ORDER BY pk)
), '')
FROM sqlite_master AS tables
WHERE tables.type = 'table' AND substr(tables.name, 1, length('{prefix}')) = '{prefix}'
UNION ALL
SELECT substr(indexes.tbl_name, length('{prefix}') + 1) || ' index ' || (
  SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_index_info(indexes.name) ORDER BY seqno)
) || CASE instr(indexes.sql, ' WHERE ')
  WHEN 0 THEN ''
  ELSE ' where ' || replace(substr(indexes.sql, instr(indexes.sql, ' WHERE ') + 7), '"', '')
END
FROM sqlite_master AS indexes
WHERE indexes.type = 'index' AND indexes.sql IS NOT NULL AND substr(indexes.tbl_name, 1, length('{prefix}')) = '{prefix}'
