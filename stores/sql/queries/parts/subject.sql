subjects.source, subjects.kind, subjects.id, CAST(subjects.revision AS TEXT) AS revision, subjects.state
