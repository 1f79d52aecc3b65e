SELECT json_object('object', object, 'at', at, 'change', change)
FROM {prefix}transitions
ORDER BY object, at, change
