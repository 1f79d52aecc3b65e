INSERT INTO {prefix}products (
  source, id, name, active, deleted
)
SELECT
  key ->> 0,
  value ->> 'id',
  value ->> 'name',
  CAST(value ->> 'active' AS BOOLEAN),
  CAST(value ->> 'deleted' AS BOOLEAN)
FROM {fields ?1} AS entry
WHERE true
ON CONFLICT (source, id) DO UPDATE SET
  name = excluded.name,
  active = excluded.active,
  deleted = excluded.deleted
