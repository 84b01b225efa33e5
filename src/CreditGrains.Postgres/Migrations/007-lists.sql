-- Of each status its own order: whether a credit's expiry is booked is in every index that lists by it.
drop index credit_freed;
drop index credit_allocated;
drop index credit_minted;
drop index credit_minted_list;
drop index credit_minted_of_client;
create index credit_allocated on credit (lot, ordinal) where not expiry_booked;
create index credit_minted on credit (lot, expiry_booked, created_at, ordinal) where lot like '%~minted';
create index credit_minted_list on credit (expiry_booked, created_at, lot, ordinal) where lot like '%~minted';
create index credit_minted_of_client on credit (client_id, expiry_booked, created_at, lot, ordinal) where lot like '%~minted';

-- Of lots, too: what has expired with players on none.
create index lot_expiry on lot (expires_at, created_at, key);
