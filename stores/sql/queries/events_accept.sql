{new_events}
ON CONFLICT (source, event_id) DO NOTHING
RETURNING source, event_id
