SELECT {json_object}(
  'source', source,
  'id', id,
  'state', state,
  'subscription', subscription
) AS row_of
FROM {prefix}schedules
ORDER BY source, id
