-- The books of CreditGrains on PostgreSQL, version 1. Keys sort by their bytes ("C"), as they do everywhere else in the product.

-- One row: which schema this is, and which history the feed's cursors are of (G4).
create table store (
    version              integer not null,
    history              text not null,
    -- The server that wrote this history: a dump restored into another one, or a server that went back to a backup, begins a new history.
    system_identifier    bigint not null,
    timeline             text not null,
    -- This table's own: a dump that is restored into the same server makes another one.
    table_oid            oid not null,
    -- Added to the ids of this server's transactions, so that its entries come behind those of earlier histories.
    earlier_transactions bigint not null,
    -- Of the entries up to this one, booked before that instant, most are archived; 0 and null: none is.
    archived_id          bigint not null default 0,
    archived_before      timestamptz
);
create unique index store_once on store ((true));
insert into store values (1, '', 0, '', 0, 0);

-- Contracts, accounts and settings; requests by their key and previews, which are forgotten when they are due.
create table document (
    kind    text collate "C" not null,
    id      text collate "C" not null,
    version bigint not null,
    body    text not null,
    owner   text collate "C" not null,
    as_of   timestamptz not null,
    due_at  timestamptz,
    primary key (kind, id)
) with (fillfactor = 70);
create index document_owner on document (kind, owner, id) where kind in ('contract', 'account');
create index document_due on document (kind, due_at) where due_at is not null;

-- key: contract_id~lot_id, the beginning of its credits' ids. A credit that lies apart from its lot, with an expiry of its own,
-- is a lot of one under the credit's id, and apart is its ordinal (P5).
create table lot (
    key            text collate "C" primary key,
    contract_id    text collate "C" not null,
    lot_id         text collate "C" not null,
    apart          bigint not null,
    client_id      text collate "C" not null,
    source         text not null,
    payment_id     text collate "C" not null,
    quantity       bigint not null,
    free           text not null,
    withdrawn      text not null default '',
    created_at     timestamptz not null,
    available_from timestamptz not null,
    asked_expiry   timestamptz,
    expires_at     timestamptz,
    expiry_booked  boolean not null,
    request        text,
    has_free       boolean not null,
    has_withdrawn  boolean not null default false,
    is_open        boolean not null
) with (fillfactor = 70);
-- In the order of lists of credits, as ids sort: where one lot's id is the beginning of another's, the ~ behind it counts.
create index lot_list on lot (created_at, (key || '~'));
create index lot_contract on lot (contract_id, created_at, (key || '~'));
create index lot_client on lot (client_id, created_at, (key || '~'));
create index lot_payment on lot (payment_id, created_at, (key || '~'));
create index lot_id_list on lot (lot_id, created_at, (key || '~'));
create index lot_client_payment on lot (client_id, payment_id);
create index lot_apart on lot (created_at, (key || '~')) where apart > 0;
create index lot_expiry on lot (expires_at);
-- What a contract's grain loads, however many lots are used up.
create index lot_open on lot (contract_id) where is_open;

create table member (
    contract_id   text collate "C" not null,
    user_id       text collate "C" not null,
    client_id     text collate "C" not null,
    assigned      boolean not null,
    settings      text,
    start_date    date,
    restarts      bigint not null,
    cycle         bigint not null,
    used_in_cycle bigint not null,
    extra_credits bigint not null,
    extra_used    bigint not null,
    total_used    bigint not null,
    due_at        timestamptz,
    changed_by    text,
    changed_at    timestamptz,
    as_of         timestamptz not null,
    version       bigint not null,
    primary key (contract_id, user_id)
) with (fillfactor = 70);
create index member_client on member (client_id, user_id, contract_id);
create index member_due on member (due_at) where due_at is not null;

-- A client's directory: one name each, and whether the user is disabled, for all contracts of the client.
create table client_user (
    client_id  text collate "C" not null,
    user_id    text collate "C" not null,
    name       text not null,
    disabled   boolean not null,
    changed_by text,
    as_of      timestamptz not null,
    version    bigint not null,
    primary key (client_id, user_id)
);

-- Of rows that reports write by the million, columns of a fixed width come first: that saves their padding.

-- A player and the credit that covers the player, or did last (P2); lot and ordinal are null once the player is freed.
create table player (
    ordinal      bigint,
    covers_until timestamptz,
    as_of        timestamptz not null,
    version      bigint not null,
    client_id    text collate "C" not null,
    player_id    text collate "C" not null,
    lot          text collate "C",
    primary key (player_id, client_id)
);

-- The credits that players had before; some are others' by now. By these and the player's own row a player's credits are found: an index of credits by player would cost each charge an
-- entry at a place of its own.
create table former_credit (
    ordinal   bigint not null,
    player_id text collate "C" not null,
    client_id text collate "C" not null,
    lot       text collate "C" not null,
    primary key (player_id, client_id, lot, ordinal)
);
create function keep_former_credit() returns trigger language plpgsql as $$ begin
    insert into former_credit (player_id, client_id, lot, ordinal) values (old.player_id, old.client_id, old.lot, old.ordinal) on conflict do nothing;
    return null;
end $$;
create trigger player_former_credit after update on player for each row
    when (old.lot is not null and (old.lot, old.ordinal) is distinct from (new.lot, new.ordinal)) execute function keep_former_credit();
create view player_credit as
    select player_id, client_id, lot, ordinal from player where lot is not null
    union all select player_id, client_id, lot, ordinal from former_credit;

-- Credits that somebody has touched; the others are derived from their lot. A charge costs one index entry, the end of coverage none. Lists go through each lot by the primary
-- key, and past what they do not show.
create table credit (
    ordinal       bigint not null,
    version       bigint not null,
    created_at    timestamptz not null,
    expires_at    timestamptz,
    activated_at  timestamptz,
    lot           text collate "C" not null,
    client_id     text collate "C" not null,
    payment_id    text collate "C" not null,
    used_by       text collate "C",
    player_id     text collate "C",
    player_name   text,
    report_id     text collate "C",
    used_of       text,
    held_until    timestamptz,
    primary key (lot, ordinal)
);
create index credit_held on credit (split_part(lot, '~', 1)) where held_until is not null;
-- The one lot of an unlimited contract grows, so that its credits were not all created at once.
create index credit_minted on credit (lot, created_at, ordinal) where lot like '%~minted';

-- How many credits' coverage ends together, as long as that is not booked: those that one report charged from one lot, or, under its ordinal and no
-- report, one that was given by hand. An end is booked by deleting its ending, and no credit's row is touched.
create table ending (
    ends_at      timestamptz not null,
    ordinal      bigint not null,
    credits      bigint not null,
    last_ordinal bigint not null,
    client_id    text collate "C" not null,
    lot          text collate "C" not null,
    report_id    text collate "C" not null,
    used_by      text collate "C",
    primary key (client_id, ends_at, lot, report_id, ordinal)
);

-- Of each lot how many credits with a row have expired and are booked so, and an ordinal that none of them is above: lists read no further.
create table ended (
    credits      bigint not null,
    last_ordinal bigint not null,
    lot          text collate "C" primary key
) with (fillfactor = 70);

create table report (
    at                 timestamptz not null,
    charged            bigint not null,
    covered            bigint not null,
    user_available     bigint,
    contract_remaining bigint,
    client_id          text collate "C" not null,
    report_id          text collate "C" not null,
    contract_id        text collate "C" not null,
    user_id            text collate "C" not null,
    players            text not null,
    hold_until         timestamptz,
    captured           text,
    voided             text,
    primary key (client_id, report_id)
);
-- Usage is added up from these alone: a report's players may be many.
create index report_client on report (client_id, at, report_id) include (contract_id, user_id, charged, covered);
create index report_contract on report (contract_id, at, client_id, report_id) include (user_id, charged, covered);
create index report_user on report (user_id, at, report_id, client_id) include (contract_id, charged, covered);

-- The ledger is only ever appended to. Each list of it, and the feed, is in the order of entry_id, which place_of makes:
-- the transaction and the place in it. So one index serves a list and the feed; a charge costs five entries.
create table entry (
    entry_id         bigint primary key,
    effective_at     timestamptz not null,
    booked_at        timestamptz not null,
    quantity         bigint not null,
    services_credits bigint,
    kind             text not null,
    actor            text not null,
    reason           text,
    cause            text not null,
    subject          text not null,
    before           text,
    after            text,
    client_id        text collate "C" not null,
    contract_id      text collate "C",
    user_id          text collate "C",
    report_id        text collate "C",
    lot_id           text collate "C",
    used_of          text,
    account_id       text collate "C"
);
create index entry_client on entry (client_id, entry_id);
-- Balances and audits are added up from this alone, behind a checkpoint.
create index entry_contract on entry (contract_id, entry_id) include (effective_at, kind, lot_id, user_id, quantity, used_of)
    where contract_id is not null;
create index entry_user on entry (user_id, entry_id) where user_id is not null;
create index entry_report on entry (report_id, entry_id) where report_id is not null;
create index entry_account on entry (account_id, entry_id) where account_id is not null;
-- A credit's history: what happened to its lot, and what was done to it alone (P5).
create index entry_lot on entry (contract_id, lot_id) where kind in ('lot-granted', 'lot-set', 'lot-expired', 'lot-withdrawn');
-- What purchases were before they were corrected.
create index entry_purchase_set on entry (account_id, entry_id) where kind = 'purchase-set';
create index entry_credit on entry (subject) where subject like 'credit:%';
create index entry_returned on entry (contract_id, effective_at) where kind = 'credits-returned';

-- Sums of a contract's entries up to one of them, so that only later ones are added up. Derived from entries; readers write them. Those of an archive,
-- which have archived_before, must stay: entries that they count are gone, and answers begin at that instant.
create table checkpoint (
    entry_id    bigint not null,
    -- When the first of the entries behind the checkpoint before took effect, and when the last of all.
    earliest    timestamptz not null,
    latest      timestamptz not null,
    archived_before timestamptz,
    contract_id text collate "C" not null,
    sums        text not null,
    primary key (contract_id, entry_id)
);

-- What a user's reports used on a local day that is over: usage adds up days and what came since. Derived from reports and entries; readers write it.
create table usage_day (
    begins      timestamptz not null,
    ends        timestamptz not null,
    reports     bigint not null,
    charged     bigint not null,
    covered     bigint not null,
    given_back  bigint not null,
    client_id   text collate "C" not null,
    contract_id text collate "C" not null,
    user_id     text collate "C" not null,
    primary key (contract_id, begins, user_id)
);

-- Services credits, in whole ten-thousandths; dates are days of the account's zone.
create table purchase (
    account_id     text collate "C" not null,
    purchase_id    text collate "C" not null,
    client_id      text collate "C" not null,
    currency       text not null,
    quantity       bigint not null,
    free           bigint not null,
    allocated      bigint not null,
    expired        bigint not null,
    starts_on      date not null,
    expires_on     date not null,
    available_from timestamptz not null,
    expires_at     timestamptz not null,
    created_at     timestamptz not null,
    request        text not null,
    description    text,
    primary key (account_id, purchase_id)
) with (fillfactor = 70);
create index purchase_list on purchase (account_id, created_at, purchase_id);

create table project (
    project_id text collate "C" primary key,
    client_id  text collate "C" not null,
    account_id text collate "C" not null,
    currency   text not null,
    holding    bigint not null,
    name       text not null,
    version    bigint not null
) with (fillfactor = 70);
create index project_account on project (account_id, project_id);
create index project_client on project (client_id, project_id);

create table milestone (
    milestone_id     text collate "C" primary key,
    client_id        text collate "C" not null,
    project_id       text collate "C" not null,
    services_credits bigint not null,
    status           text not null,
    actual_date      date,
    was_allocated    boolean not null,
    holdings         text not null,
    name             text not null,
    is_allocated     boolean not null,
    version          bigint not null
) with (fillfactor = 70);
create index milestone_project on milestone (project_id, milestone_id);
create index milestone_client on milestone (client_id, milestone_id);

-- Only ever appended to. allocation_id: what they are summed by.
create table consumption (
    account_id    text collate "C" not null,
    number        bigint not null,
    kind          text not null,
    purchase_id   text collate "C" not null,
    milestone_id  text collate "C",
    allocation_id text collate "C" not null,
    currency      text collate "C" not null,
    quantity      bigint not null,
    date          date not null,
    at            timestamptz not null,
    primary key (account_id, number)
);
create index consumption_purchase on consumption (account_id, purchase_id, at) include (quantity) where milestone_id is not null;
create index consumption_allocation on consumption (account_id, allocation_id, currency);
create index consumption_milestone on consumption (milestone_id, account_id, number) where milestone_id is not null;

-- A milestone's allocation is what its consumptions sum up to; that of an expiry is its own.
create view services_allocation as
    select allocation_id, account_id, milestone_id, currency, sum(quantity)::bigint as quantity, min(date) as date
    from consumption group by account_id, allocation_id, milestone_id, currency;

-- Notes the ordinals, from 1, of given rows that were not as expected; null: all were. The last statement about a kind of row undoes all
-- where any were not, and tells each statement's.
create function expect(statement bigint, unexpected bigint[], is_last boolean) returns void language plpgsql as $$
declare
    noted text := current_setting('creditgrains.unexpected', true);
begin
    if unexpected is not null then
        noted := concat_ws(';', nullif(noted, ''), statement || ':' || array_to_string(unexpected, ','));
        perform set_config('creditgrains.unexpected', noted, true);
    end if;
    if is_last and noted <> '' then
        raise exception 'rows not as expected %', noted using errcode = 'CG001';
    end if;
end $$;

-- The first id of all entries of that transaction; it has room for 262,144 of them.
create function place_of(transaction xid8) returns bigint language sql stable as $$
    select (earlier_transactions + transaction::text::bigint) << 18 from store
$$;

-- Begins a new history where the data is on another server, on another course of the same one, or in another table, than those that wrote it.
-- Where there is no row, a restore is on its way to write it.
create function notice_history() returns void language plpgsql as $$
declare
    system bigint := (select system_identifier from pg_control_system());
    present text;
    own oid := 'store'::regclass;
    next_transaction bigint := pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
begin
    -- A standby writes nothing and has no course of its own.
    if pg_is_in_recovery() then
        return;
    end if;
    present := left(pg_walfile_name(pg_current_wal_lsn()), 8);
    if exists (select from store where system_identifier = system and timeline = present and table_oid = own) then
        return;
    end if;
    lock table store in exclusive mode;
    update store set
        history = replace(gen_random_uuid()::text, '-', ''),
        system_identifier = system,
        timeline = present,
        table_oid = own,
        earlier_transactions = greatest(earlier_transactions, coalesce((select max(entry_id) from entry) >> 18, 0) + 1 - next_transaction)
    where system_identifier <> system or timeline <> present or table_oid <> own;
end $$;
