INSERT INTO {prefix}invoices (
  source, id, state, total, amount_paid, currency, attempts, finalized_at, paid_at, voided_at, deleted, customer, subscription
)
SELECT
  key ->> 0,
  value ->> 'id',
  value ->> 'state',
  value ->> 'total',
  value ->> 'amount_paid',
  value ->> 'currency',
  value ->> 'attempts',
  value ->> 'finalized_at',
  value ->> 'paid_at',
  value ->> 'voided_at',
  value ->> 'deleted',
  value ->> 'customer',
  value ->> 'subscription'
FROM json_each(?1)
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
  subscription = excluded.subscription
