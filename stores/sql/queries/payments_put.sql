INSERT INTO {prefix}payments (
  source, id, state, amount, currency, authorized, captured, received, refunded, disputed, dispute, attempts, customer, owner, invoice, subscription
)
SELECT
  key ->> 0,
  value ->> 'id',
  value ->> 'state',
  CAST(value ->> 'amount' AS BIGINT),
  value ->> 'currency',
  CAST(value ->> 'authorized' AS BIGINT),
  CAST(value ->> 'captured' AS BIGINT),
  CAST(value ->> 'received' AS BIGINT),
  CAST(value ->> 'refunded' AS BIGINT),
  CAST(value ->> 'disputed' AS BIGINT),
  value ->> 'dispute',
  CAST(value ->> 'attempts' AS BIGINT),
  value ->> 'customer',
  value ->> 'owner',
  value ->> 'invoice',
  value ->> 'subscription'
FROM {fields ?1} AS entry
WHERE true
ON CONFLICT (source, id) DO UPDATE SET
  state = excluded.state,
  amount = excluded.amount,
  currency = excluded.currency,
  authorized = excluded.authorized,
  captured = excluded.captured,
  received = excluded.received,
  refunded = excluded.refunded,
  disputed = excluded.disputed,
  dispute = excluded.dispute,
  attempts = excluded.attempts,
  customer = excluded.customer,
  owner = excluded.owner,
  invoice = excluded.invoice,
  subscription = excluded.subscription
