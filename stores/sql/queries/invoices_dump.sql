SELECT {json_object}(
  'source', source,
  'id', id,
  'state', state,
  'total', total,
  'amount_paid', amount_paid,
  'currency', currency,
  'attempts', attempts,
  'finalized_at', finalized_at,
  'paid_at', paid_at,
  'voided_at', voided_at,
  'deleted', deleted,
  'customer', customer,
  'owner', owner,
  'subscription', subscription
) AS row_of
FROM {prefix}invoices
ORDER BY source, id
