UPDATE {prefix}events SET public_id = named.value ->> 1
FROM {rows ?1} AS named
WHERE {prefix}events.sequence = CAST(named.value ->> 0 AS BIGINT)
