SELECT {json_object}(
  'source', source,
  'payment', payment,
  'id', id,
  'state', state,
  'amount', amount,
  'currency', currency
) AS row_of
FROM {prefix}refunds
ORDER BY source, payment, id
