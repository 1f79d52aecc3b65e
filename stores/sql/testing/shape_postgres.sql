SELECT substr(CAST(tables.relname AS text), length('{prefix}') + 1) || '.' || columns.attname || ' '
  || upper(format_type(columns.atttypid, columns.atttypmod))
  || CASE WHEN collations.collname = 'C' THEN ' COLLATE "C"' ELSE '' END
  || CASE WHEN columns.attnotnull THEN ' not null' ELSE ' null' END AS line
FROM pg_class AS tables
JOIN pg_namespace AS spaces ON spaces.oid = tables.relnamespace AND spaces.nspname = current_schema()
JOIN pg_attribute AS columns ON columns.attrelid = tables.oid AND columns.attnum > 0 AND NOT columns.attisdropped
LEFT JOIN pg_collation AS collations ON collations.oid = columns.attcollation
WHERE tables.relkind = 'r' AND substr(CAST(tables.relname AS text), 1, length('{prefix}')) = '{prefix}'
UNION ALL
SELECT substr(CAST(tables.relname AS text), length('{prefix}') + 1)
  || CASE WHEN indexes.indisprimary THEN ' key ' ELSE ' index ' END || (
    SELECT string_agg(CAST(columns.attname AS text), ', ' ORDER BY places.place)
    FROM unnest(indexes.indkey) WITH ORDINALITY AS places (attnum, place)
    JOIN pg_attribute AS columns ON columns.attrelid = tables.oid AND columns.attnum = places.attnum
  ) || CASE
    WHEN indexes.indpred IS NULL THEN ''
    ELSE ' where ' || btrim(pg_get_expr(indexes.indpred, indexes.indrelid), '()')
  END
FROM pg_class AS tables
JOIN pg_namespace AS spaces ON spaces.oid = tables.relnamespace AND spaces.nspname = current_schema()
JOIN pg_index AS indexes ON indexes.indrelid = tables.oid
WHERE tables.relkind = 'r' AND substr(CAST(tables.relname AS text), 1, length('{prefix}')) = '{prefix}'
