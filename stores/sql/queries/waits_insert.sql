INSERT INTO {prefix}waits (source, kind, id, on_source, on_kind, on_id)
SELECT
  value ->> '$[0][0]', value ->> '$[0][1]', value ->> '$[0][2]',
  value ->> '$[1][0]', value ->> '$[1][1]', value ->> '$[1][2]'
FROM json_each(?1)
WHERE true
ON CONFLICT DO NOTHING
