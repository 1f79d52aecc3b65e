INSERT INTO {prefix}entitlements (
  source, source_kind, source_id, ordinal, benefit, price, state, quantity, given_up, since, ends_at, pause_at, period_end, customer, owner
)
SELECT
  key ->> 0,
  value ->> 'source_kind',
  value ->> 'source_id',
  key ->> 1,
  value ->> 'benefit',
  value ->> 'price',
  value ->> 'state',
  value ->> 'quantity',
  value ->> 'given_up',
  value ->> 'since',
  value ->> 'ends_at',
  value ->> 'pause_at',
  value ->> 'period_end',
  value ->> 'customer',
  value ->> 'owner'
FROM json_each(?1)
WHERE true
