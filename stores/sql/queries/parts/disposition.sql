status, reason, CAST(attempts AS TEXT) AS tried, CAST(due_at AS TEXT) AS due, ordering_key
