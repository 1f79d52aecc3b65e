SELECT {json_object}(
  'source', source,
  'id', id,
  'state', state,
  'mode', mode,
  'customer', customer,
  'owner', owner,
  'subscription', subscription,
  'payment', payment,
  'invoice', invoice
) AS row_of
FROM {prefix}checkouts
ORDER BY source, id
