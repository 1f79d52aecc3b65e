INSERT INTO {prefix}customers (
  source, id, email, name, deleted, owner
)
SELECT
  key ->> 0,
  value ->> 'id',
  value ->> 'email',
  value ->> 'name',
  CAST(value ->> 'deleted' AS BOOLEAN),
  value ->> 'owner'
FROM {fields ?1} AS entry
WHERE true
ON CONFLICT (source, id) DO UPDATE SET
  email = excluded.email,
  name = excluded.name,
  deleted = excluded.deleted,
  owner = excluded.owner
