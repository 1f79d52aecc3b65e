SELECT json_object(
  'source', source,
  'id', id,
  'state', state,
  'subscription', subscription
)
FROM {prefix}schedules
ORDER BY source, id
