INSERT INTO {prefix}events (
  sequence, source, event_id, type, received_at, status, reason, attempts, due_at, digest, body_encoding, body
)
VALUES
  (1001, 'acme//test', 'ev_thin', 'thing', 2, 'received', '{"kind":"fetch","path":null}', 1, NULL, '0707070707070707070707070707070707070707070707070707070707070707', 'utf8', '{}'),
  (1002, 'acme//test', 'ev_queued', 'thing', 2, 'received', NULL, 0, 2, '0707070707070707070707070707070707070707070707070707070707070707', 'utf8', '{}'),
  (1003, 'acme//test', 'ev_done', 'thing', 2, 'processed', NULL, 1, NULL, '0707070707070707070707070707070707070707070707070707070707070707', 'utf8', '{}'),
  (1004, 'acme//test', 'ev_failed', 'thing', 2, 'failed', '{"kind":"gave_up","attempts":3}', 3, NULL, '0707070707070707070707070707070707070707070707070707070707070707', 'utf8', '{}'),
  (1005, 'acme//test', '', 'thing', 2, 'ignored', NULL, 1, NULL, '0707070707070707070707070707070707070707070707070707070707070707', 'utf8', '{}')
