-- Instants are microseconds since 1970-01-01T00:00:00Z; ids compare byte by byte (the default collation).

create table documents (
    kind text not null, id text not null, version integer not null, body text not null, owner text not null, as_of integer not null, due_at integer,
    primary key (kind, id)
) strict, without rowid;
create index documents_by_owner on documents (kind, owner);
create index documents_due on documents (kind, due_at) where due_at is not null;

-- key is contract~lot~ : keys sort as the ids of their credits do.
create table lots (
    key text not null primary key, contract_id text not null, lot_id text not null, client_id text not null, source text not null, payment_id text not null,
    quantity integer not null, free text not null, created_at integer not null, available_from integer not null, asked_expiry integer, expires_at integer,
    expiry_booked integer not null, request text, is_open integer not null
) strict, without rowid;
create index lots_open on lots (contract_id) where is_open = 1;
create index lots_by_creation on lots (created_at);
create index lots_of_contract on lots (contract_id, created_at);
create index lots_of_contract_by_id on lots (contract_id, created_at, lot_id);
create index lots_of_client on lots (client_id, created_at);
create index lots_by_id on lots (lot_id, created_at);
create index lots_of_payment on lots (payment_id, created_at);

-- Touched credits; the others are derived from their lots. All of a lot came to be with it, so lots carry most of the lists' indexes; minted credits come one by one and have their own.
create table credits (
    lot text not null, ordinal integer not null, client_id text not null, used_by text, player_id text, player_name text, created_at integer not null, expires_at integer,
    activated_at integer, report_id text, is_current integer not null, expiry_booked integer not null, minted integer not null, version integer not null,
    primary key (lot, ordinal)
) strict, without rowid;
create unique index credits_current on credits (player_id, client_id) where is_current = 1;
create index credits_past on credits (player_id) where is_current = 0;
create index credits_of_user on credits (used_by, created_at) where used_by is not null;
create index credits_due on credits (expires_at) where expiry_booked = 0 and player_id is not null;
create index credits_freed on credits (lot) where player_id is null;
create index credits_minted on credits (created_at) where minted = 1;
create index credits_minted_of_lot on credits (lot, created_at) where minted = 1;
create index credits_minted_of_client on credits (client_id, created_at) where minted = 1;

create table members (
    contract_id text not null, user_id text not null, client_id text not null, name text not null, assigned integer not null, total_used integer not null,
    primary key (contract_id, user_id)
) strict, without rowid;
create index members_assigned on members (contract_id) where assigned = 1;
create index members_of_client on members (client_id, user_id);

create table disabled_users (client_id text not null, user_id text not null, primary key (client_id, user_id)) strict, without rowid;

create table reports (
    client_id text not null, report_id text not null, contract_id text not null, user_id text not null, at integer not null, charged integer not null, body text not null,
    primary key (client_id, report_id)
) strict, without rowid;
create index reports_by_instant on reports (at, report_id);
create index reports_of_client on reports (client_id, at);
create index reports_of_contract on reports (contract_id, at, report_id);
create index reports_of_user on reports (user_id, at, report_id);

-- Only ever appended to.
create table entries (
    entry_id integer primary key autoincrement, kind text not null, effective_at integer not null, booked_at integer not null, actor text not null, reason text, cause text not null,
    subject text not null, quantity integer not null, before text, after text, client_id text not null, contract_id text, user_id text, report_id text, lot_id text
) strict;
create index entries_of_client on entries (client_id);
create index entries_of_contract on entries (contract_id) where contract_id is not null;
create index entries_of_user on entries (user_id) where user_id is not null;
create index entries_of_report on entries (report_id) where report_id is not null;
