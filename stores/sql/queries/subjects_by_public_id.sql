SELECT {subject}
FROM {prefix}subjects AS subjects {using subjects_public_id}
WHERE public_id = ?1
