-- The books. Keys sort by their bytes ("C"), as they do everywhere else in the product.

create table document (
    kind     text collate "C" not null,
    id       text collate "C" not null,
    version  bigint not null,
    owner    text collate "C" not null,
    body     text not null,
    as_of    timestamptz not null,
    due_at   timestamptz,
    primary key (kind, id)
);
create index document_owner on document (kind, owner, id);
create index document_due on document (kind, due_at) where due_at is not null;

-- key: contract_id~lot_id, the beginning of its credits' ids.
create table lot (
    key            text collate "C" primary key,
    contract_id    text collate "C" not null,
    lot_id         text collate "C" not null,
    client_id      text collate "C" not null,
    source         text not null,
    payment_id     text collate "C" not null,
    quantity       bigint not null,
    free           text not null,
    free_count     bigint not null,
    created_at     timestamptz not null,
    available_from timestamptz not null,
    asked_expiry   timestamptz,
    expires_at     timestamptz,
    expiry_booked  boolean not null,
    request        text
) with (fillfactor = 70);
create index lot_list on lot (created_at, key);
create index lot_contract on lot (contract_id, created_at, key);
create index lot_client on lot (client_id, created_at, key);
create index lot_payment on lot (payment_id, created_at, key);

create table member (
    contract_id text collate "C" not null,
    user_id     text collate "C" not null,
    client_id   text collate "C" not null,
    name        text not null,
    assigned    boolean not null,
    disabled    boolean not null,
    total_used  bigint not null default 0,
    primary key (contract_id, user_id)
) with (fillfactor = 70);
create index member_user on member (client_id, user_id);

-- Credits that somebody has touched; the others are derived from their lot.
create table credit (
    lot           text collate "C" not null,
    ordinal       bigint not null,
    client_id     text collate "C" not null,
    payment_id    text collate "C" not null,
    used_by       text collate "C",
    player_id     text collate "C",
    player_name   text,
    created_at    timestamptz not null,
    expires_at    timestamptz,
    activated_at  timestamptz,
    report_id     text collate "C",
    is_current    boolean not null,
    expiry_booked boolean not null,
    version       bigint not null,
    primary key (lot, ordinal)
);
-- P2: one current credit a player; the fence of every charge.
create unique index credit_current on credit (client_id, player_id) where is_current;
create index credit_former on credit (client_id, player_id) where not is_current;
create index credit_user on credit (used_by, created_at, lot, ordinal);
create index credit_due on credit (expires_at) where player_id is not null and not expiry_booked;
-- The one lot of an unlimited contract grows, so that its credits were not all created at once.
create index credit_minted on credit (lot, created_at, ordinal) where lot like '%~minted';

create table report (
    client_id   text collate "C" not null,
    report_id   text collate "C" not null,
    contract_id text collate "C" not null,
    user_id     text collate "C" not null,
    at          timestamptz not null,
    charged     integer not null,
    covered     integer not null,
    players     text not null,
    balance     text not null,
    primary key (client_id, report_id)
);
create index report_client_list on report (client_id, at, report_id);
create index report_contract_list on report (contract_id, at, client_id, report_id);

create table entry (
    entry_id     bigint generated always as identity primary key,
    -- The feed stops below the oldest transaction still running (G4).
    transaction  xid8 not null default pg_current_xact_id(),
    kind         text not null,
    effective_at timestamptz not null,
    booked_at    timestamptz not null,
    actor        text not null,
    reason       text,
    cause        text not null,
    subject      text not null,
    quantity     bigint not null,
    before       text,
    after        text,
    client_id    text collate "C" not null,
    contract_id  text collate "C",
    user_id      text collate "C",
    report_id    text collate "C",
    lot_id       text collate "C"
);
create index entry_contract on entry (contract_id, entry_id);
create index entry_client_user on entry (client_id, user_id, entry_id);
create index entry_client_report on entry (client_id, report_id, entry_id);

create function expect(actual bigint, wanted bigint) returns void language plpgsql as $$
begin
    if actual <> wanted then
        raise exception 'a fence was not as expected: % of %', actual, wanted using errcode = 'CG001';
    end if;
end $$;
