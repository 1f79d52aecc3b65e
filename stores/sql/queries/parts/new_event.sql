key ->> 1, key ->> 2, key ->> 3, key ->> 4, CAST(key ->> 5 AS BIGINT), CAST(key ->> 6 AS BIGINT), key ->> 7, key ->> 8
