INSERT INTO {prefix}products (
  source, id, name, active, deleted
)
SELECT
  key ->> 0,
  value ->> 'id',
  value ->> 'name',
  value ->> 'active',
  value ->> 'deleted'
FROM json_each(?1)
WHERE true
ON CONFLICT (source, id) DO UPDATE SET
  name = excluded.name,
  active = excluded.active,
  deleted = excluded.deleted
