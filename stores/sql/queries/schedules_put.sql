INSERT INTO {prefix}schedules (
  source, id, state, subscription
)
SELECT
  key ->> 0,
  value ->> 'id',
  value ->> 'state',
  value ->> 'subscription'
FROM {fields ?1} AS entry
WHERE true
ON CONFLICT (source, id) DO UPDATE SET
  state = excluded.state,
  subscription = excluded.subscription
