SELECT {json_object}('object', object, 'at', at, 'change', change) AS row_of
FROM {prefix}transitions
ORDER BY object, at, change
