-- A credit that lies apart from its lot, with an expiry of its own, is a lot of one under the credit's id; apart is its ordinal.
alter table lots add column apart integer not null default 0;
create index lots_apart on lots (created_at) where apart > 0;

-- Of each status its own order: whether a credit's expiry is booked is in every index that lists by it.
drop index credits_freed;
drop index credits_minted;
drop index credits_minted_of_lot;
drop index credits_minted_of_client;
create index credits_booked on credits (lot) where expiry_booked = 1;
create index credits_unbooked on credits (lot) where expiry_booked = 0;
create index credits_minted on credits (expiry_booked, created_at) where minted = 1;
create index credits_minted_of_lot on credits (lot, expiry_booked, created_at) where minted = 1;
create index credits_minted_of_client on credits (client_id, expiry_booked, created_at) where minted = 1;
