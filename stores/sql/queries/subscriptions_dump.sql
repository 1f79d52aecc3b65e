SELECT {json_object}(
  'source', source,
  'id', id,
  'state', state,
  'provider_status', provider_status,
  'period_start', period_start,
  'period_end', period_end,
  'trial_end', trial_end,
  'cancel_at', cancel_at,
  'ended_at', ended_at,
  'pause_at', pause_at,
  'resume_at', resume_at,
  'collection_paused', collection_paused,
  'customer', customer,
  'owner', owner
) AS row_of
FROM {prefix}subscriptions
ORDER BY source, id
