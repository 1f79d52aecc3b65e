INSERT INTO {prefix}entitlements (
  source, source_kind, source_id, ordinal, benefit, price, state, quantity, given_up, disputed, began_at, since, ends_at, pause_at, period_end, customer, owner
)
SELECT
  key ->> 0,
  value ->> 'source_kind',
  value ->> 'source_id',
  CAST(key ->> 1 AS BIGINT),
  value ->> 'benefit',
  value ->> 'price',
  value ->> 'state',
  CAST(value ->> 'quantity' AS BIGINT),
  CAST(value ->> 'given_up' AS BOOLEAN),
  CAST(value ->> 'disputed' AS BOOLEAN),
  CAST(value ->> 'began_at' AS BIGINT),
  CAST(value ->> 'since' AS BIGINT),
  CAST(value ->> 'ends_at' AS BIGINT),
  CAST(value ->> 'pause_at' AS BIGINT),
  CAST(value ->> 'period_end' AS BIGINT),
  value ->> 'customer',
  value ->> 'owner'
FROM {fields ?1} AS entry
WHERE true
