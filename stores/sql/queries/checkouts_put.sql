INSERT INTO {prefix}checkouts (
  source, id, state, mode, customer, owner, subscription, payment, invoice
)
SELECT
  key ->> 0,
  value ->> 'id',
  value ->> 'state',
  value ->> 'mode',
  value ->> 'customer',
  value ->> 'owner',
  value ->> 'subscription',
  value ->> 'payment',
  value ->> 'invoice'
FROM {fields ?1} AS entry
WHERE true
ON CONFLICT (source, id) DO UPDATE SET
  state = excluded.state,
  mode = excluded.mode,
  customer = excluded.customer,
  owner = excluded.owner,
  subscription = excluded.subscription,
  payment = excluded.payment,
  invoice = excluded.invoice
