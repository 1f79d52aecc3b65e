SELECT json_object(
  'source', source,
  'payment', payment,
  'id', id,
  'state', state,
  'amount', amount,
  'currency', currency
)
FROM {prefix}refunds
ORDER BY source, payment, id
