INSERT INTO {prefix}subjects (source, kind, id, revision, customer, owner, released, public_id, state)
SELECT
  key ->> 0, key ->> 1, key ->> 2, CAST(key ->> 3 AS BIGINT), key ->> 4, key ->> 5, CAST(key ->> 6 AS BOOLEAN),
  key ->> 7, value
FROM {entries ?1} AS entry
WHERE true
ON CONFLICT (source, kind, id) DO UPDATE SET
  revision = excluded.revision,
  customer = excluded.customer,
  owner = excluded.owner,
  released = excluded.released,
  public_id = excluded.public_id,
  state = excluded.state
