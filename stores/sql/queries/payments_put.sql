INSERT INTO {prefix}payments (
  source, id, state, amount, currency, refunded, dispute, attempts, customer, owner, invoice, subscription
)
SELECT
  key ->> 0,
  value ->> 'id',
  value ->> 'state',
  CAST(value ->> 'amount' AS BIGINT),
  value ->> 'currency',
  CAST(value ->> 'refunded' AS BIGINT),
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
  refunded = excluded.refunded,
  dispute = excluded.dispute,
  attempts = excluded.attempts,
  customer = excluded.customer,
  owner = excluded.owner,
  invoice = excluded.invoice,
  subscription = excluded.subscription
