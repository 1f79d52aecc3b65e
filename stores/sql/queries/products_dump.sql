SELECT {json_object}(
  'source', source,
  'id', id,
  'name', name,
  'active', active,
  'deleted', deleted
) AS row_of
FROM {prefix}products
ORDER BY source, id
