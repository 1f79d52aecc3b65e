{new_events}
