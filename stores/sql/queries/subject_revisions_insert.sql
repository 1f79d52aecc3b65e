INSERT INTO {prefix}subject_revisions (source, kind, id, revision)
SELECT
  value ->> 0,
  value ->> 1,
  value ->> 2,
  CASE
    WHEN CAST(value ->> 3 AS BIGINT) = 0 OR EXISTS (
      SELECT 1
      FROM {prefix}subjects
      WHERE source = value ->> 0 AND kind = value ->> 1 AND id = value ->> 2 AND revision = CAST(value ->> 3 AS BIGINT)
    ) THEN CAST(value ->> 3 AS BIGINT) + 1
  END
FROM {rows ?1} AS listed
