'conflict' AS status, NULL AS reason, '0' AS tried, NULL AS due, NULL AS lane
