INSERT INTO {prefix}subscriptions (
  source, id, state, provider_status, period_start, period_end, trial_end, cancel_at, ended_at, pause_at, resume_at, collection_paused, customer, owner
)
SELECT
  key ->> 0,
  value ->> 'id',
  value ->> 'state',
  value ->> 'provider_status',
  value ->> 'period_start',
  value ->> 'period_end',
  value ->> 'trial_end',
  value ->> 'cancel_at',
  value ->> 'ended_at',
  value ->> 'pause_at',
  value ->> 'resume_at',
  value ->> 'collection_paused',
  value ->> 'customer',
  value ->> 'owner'
FROM json_each(?1)
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
