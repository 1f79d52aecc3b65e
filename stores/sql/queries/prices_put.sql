INSERT INTO {prefix}prices (
  source, id, product, active, unit_amount, currency, "interval", interval_count, deleted
)
SELECT
  key ->> 0,
  value ->> 'id',
  value ->> 'product',
  value ->> 'active',
  value ->> 'unit_amount',
  value ->> 'currency',
  value ->> 'interval',
  value ->> 'interval_count',
  value ->> 'deleted'
FROM json_each(?1)
WHERE true
ON CONFLICT (source, id) DO UPDATE SET
  product = excluded.product,
  active = excluded.active,
  unit_amount = excluded.unit_amount,
  currency = excluded.currency,
  "interval" = excluded."interval",
  interval_count = excluded.interval_count,
  deleted = excluded.deleted
