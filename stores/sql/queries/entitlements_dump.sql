SELECT {json_object}(
  'source', source,
  'source_kind', source_kind,
  'source_id', source_id,
  'ordinal', ordinal,
  'benefit', benefit,
  'price', price,
  'state', state,
  'quantity', quantity,
  'given_up', given_up,
  'disputed', disputed,
  'began_at', began_at,
  'since', since,
  'ends_at', ends_at,
  'pause_at', pause_at,
  'period_end', period_end,
  'customer', customer,
  'owner', owner
) AS row_of
FROM {prefix}entitlements
ORDER BY source, source_kind, source_id, ordinal
