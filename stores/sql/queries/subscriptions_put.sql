INSERT INTO {prefix}subscriptions (
  source, id, state, provider_status, period_start, period_end, trial_end, cancel_at, ended_at, pause_at, resume_at, collection_paused, customer, owner
)
SELECT
  key ->> 0,
  value ->> 'id',
  value ->> 'state',
  value ->> 'provider_status',
  CAST(value ->> 'period_start' AS BIGINT),
  CAST(value ->> 'period_end' AS BIGINT),
  CAST(value ->> 'trial_end' AS BIGINT),
  CAST(value ->> 'cancel_at' AS BIGINT),
  CAST(value ->> 'ended_at' AS BIGINT),
  CAST(value ->> 'pause_at' AS BIGINT),
  CAST(value ->> 'resume_at' AS BIGINT),
  CAST(value ->> 'collection_paused' AS BOOLEAN),
  value ->> 'customer',
  value ->> 'owner'
FROM {fields ?1} AS entry
WHERE true
ON CONFLICT (source, id) DO UPDATE SET
  state = excluded.state,
  provider_status = excluded.provider_status,
  period_start = excluded.period_start,
  period_end = excluded.period_end,
  trial_end = excluded.trial_end,
  cancel_at = excluded.cancel_at,
  ended_at = excluded.ended_at,
  pause_at = excluded.pause_at,
  resume_at = excluded.resume_at,
  collection_paused = excluded.collection_paused,
  customer = excluded.customer,
  owner = excluded.owner
