DELETE FROM {prefix}entitlements
--;
DELETE FROM {prefix}transitions
--;
UPDATE {prefix}customers SET email = 'eve@example.com', owner = NULL
--;
UPDATE {prefix}payments SET amount = amount + 1
--;
UPDATE {prefix}subscriptions SET provider_status = 'tampered', customer = NULL
