INSERT INTO {prefix}subjects (source, kind, id, revision, customer, owner, owner_settled, public_id, state)
SELECT
  key ->> 0, key ->> 1, key ->> 2,
  CASE
    WHEN CAST(key ->> 3 AS BIGINT) = 1 OR EXISTS (
      SELECT 1
      FROM {prefix}subjects AS known
      WHERE known.source = key ->> 0 AND known.kind = key ->> 1 AND known.id = key ->> 2
    ) THEN CAST(key ->> 3 AS BIGINT)
  END,
  key ->> 4, key ->> 5, CAST(key ->> 6 AS BOOLEAN), key ->> 7, value
FROM {entries ?1} AS entry
WHERE true
ON CONFLICT (source, kind, id) DO UPDATE SET
  revision = CASE WHEN {prefix}subjects.revision = excluded.revision - 1 THEN excluded.revision END,
  customer = excluded.customer,
  owner = excluded.owner,
  owner_settled = excluded.owner_settled,
  public_id = excluded.public_id,
  state = excluded.state
