SELECT {json_object}(
  'source', source,
  'id', id,
  'email', email,
  'name', name,
  'deleted', deleted,
  'owner', owner
) AS row_of
FROM {prefix}customers
ORDER BY source, id
