INSERT INTO {prefix}invoices (
  source, id, state, total, amount_paid, currency, attempts, finalized_at, paid_at, voided_at, deleted, customer, owner, subscription
)
SELECT
  key ->> 0,
  value ->> 'id',
  value ->> 'state',
  CAST(value ->> 'total' AS BIGINT),
  CAST(value ->> 'amount_paid' AS BIGINT),
  value ->> 'currency',
  CAST(value ->> 'attempts' AS BIGINT),
  CAST(value ->> 'finalized_at' AS BIGINT),
  CAST(value ->> 'paid_at' AS BIGINT),
  CAST(value ->> 'voided_at' AS BIGINT),
  CAST(value ->> 'deleted' AS BOOLEAN),
  value ->> 'customer',
  value ->> 'owner',
  value ->> 'subscription'
FROM {fields ?1} AS entry
WHERE true
ON CONFLICT (source, id) DO UPDATE SET
  state = excluded.state,
  total = excluded.total,
  amount_paid = excluded.amount_paid,
  currency = excluded.currency,
  attempts = excluded.attempts,
  finalized_at = excluded.finalized_at,
  paid_at = excluded.paid_at,
  voided_at = excluded.voided_at,
  deleted = excluded.deleted,
  customer = excluded.customer,
  owner = excluded.owner,
  subscription = excluded.subscription
