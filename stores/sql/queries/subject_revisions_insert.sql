INSERT INTO {prefix}subject_revisions (source, kind, id, revision)
SELECT
  value ->> 0,
  value ->> 1,
  value ->> 2,
  CASE
    WHEN value ->> 3 = 0 OR EXISTS (
      SELECT 1
      FROM {prefix}subjects
      WHERE source = value ->> 0 AND kind = value ->> 1 AND id = value ->> 2 AND revision = value ->> 3
    ) THEN (value ->> 3) + 1
  END
FROM json_each(?1)
