SELECT json_object(
  'source', source,
  'invoice', invoice,
  'id', id,
  'state', state,
  'amount', amount,
  'currency', currency
)
FROM {prefix}credits
ORDER BY source, invoice, id
