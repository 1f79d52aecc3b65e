SELECT {json_object}(
  'source', source,
  'id', id,
  'state', state,
  'amount', amount,
  'currency', currency,
  'authorized', authorized,
  'captured', captured,
  'received', received,
  'refunded', refunded,
  'disputed', disputed,
  'dispute', dispute,
  'attempts', attempts,
  'customer', customer,
  'owner', owner,
  'invoice', invoice,
  'subscription', subscription
) AS row_of
FROM {prefix}payments
ORDER BY source, id
