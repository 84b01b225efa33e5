-- A credit that lies apart from its lot, with an expiry of its own, is a lot of one under the credit's id; apart is its ordinal.
alter table lot add column apart bigint not null default 0;
create index lot_apart on lot (created_at, (key || '~')) where apart > 0;

-- The lists of credits, as ids sort: where one lot's id is the beginning of another's, the ~ behind it counts. And of each status its own order:
-- whether a credit's expiry is booked is in every index that lists by it.
drop index lot_list;
drop index lot_client;
drop index lot_payment;
drop index lot_id_list;
create index lot_list on lot (created_at, (key || '~'));
create index lot_of_contract on lot (contract_id, created_at, (key || '~'));
create index lot_client on lot (client_id, created_at, (key || '~'));
create index lot_payment on lot (payment_id, created_at, (key || '~'));
create index lot_id_list on lot (lot_id, created_at, (key || '~'));
create index lot_expiry on lot (expires_at);

drop index credit_user;
drop index credit_player;
drop index credit_freed;
drop index credit_allocated;
drop index credit_minted;
drop index credit_minted_list;
drop index credit_minted_of_client;
create index credit_user on credit (used_by, created_at, (lot || '~'), ordinal);
create index credit_player on credit (player_id, created_at, (lot || '~'), ordinal) where player_id is not null;
create index credit_allocated on credit (lot, ordinal) where not expiry_booked;
create index credit_minted on credit (lot, expiry_booked, created_at, (lot || '~'), ordinal) where lot like '%~minted';
create index credit_minted_list on credit (expiry_booked, created_at, (lot || '~'), ordinal) where lot like '%~minted';
create index credit_minted_of_client on credit (client_id, expiry_booked, created_at, (lot || '~'), ordinal) where lot like '%~minted';

-- How few are over and not booked, which no column alone tells.
create statistics credit_over on (case when expiry_booked then null else expires_at end) from credit;
