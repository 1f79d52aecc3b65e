SELECT json_object(
  'source', source,
  'id', id,
  'email', email,
  'name', name,
  'deleted', deleted,
  'owner', owner
)
FROM {prefix}customers
ORDER BY source, id
