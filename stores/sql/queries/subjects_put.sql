INSERT INTO {prefix}subjects (source, kind, id, revision, customer, owner, released, state)
SELECT key ->> 0, key ->> 1, key ->> 2, key ->> 3, key ->> 4, key ->> 5, key ->> 6, value
FROM json_each(?1)
WHERE true
ON CONFLICT (source, kind, id) DO UPDATE SET
  revision = excluded.revision,
  customer = excluded.customer,
  owner = excluded.owner,
  released = excluded.released,
  state = excluded.state
