-- Schema 1. Instants are microseconds since 1970-01-01T00:00:00Z, services credits ten-thousandths, dates ISO 8601 texts; texts compare byte by byte.

create table document (
    kind    text    not null,
    id      text    not null,
    version integer not null,
    body    text    not null,
    owner   text    not null,
    as_of   integer not null,
    due_at  integer,
    primary key (kind, id)
) strict, without rowid;
create index document_owner on document (kind, owner);
create index document_due on document (kind, due_at) where due_at is not null;

-- A lot, or a credit that lies apart from its lot (apart is its ordinal). By place keys sort as the ids of their credits do.
create table lot (
    key            text    not null primary key,
    contract_id    text    not null,
    client_id      text    not null,
    lot_id         text    not null,
    apart          integer not null,
    source         text    not null,
    payment_id     text    not null,
    quantity       integer not null,
    free           text    not null,
    withdrawn      text    not null default '',
    created_at     integer not null,
    available_from integer not null,
    asked_expiry   integer,
    expires_at     integer,
    expiry_booked  integer not null,
    request        text,
    has_free       integer not null,
    has_withdrawn  integer not null default 0,
    is_open        integer not null,
    place          text    not null generated always as (key || '~') virtual
) strict, without rowid;
create index lot_open on lot (contract_id) where is_open = 1;
create index lot_contract on lot (contract_id, created_at, lot_id);
create index lot_contract_place on lot (contract_id, created_at, place);
create index lot_client_place on lot (client_id, created_at, place);
create index lot_id_place on lot (lot_id, created_at, place);
create index lot_payment_place on lot (payment_id, created_at, place);
create index lot_place on lot (created_at, place);
create index lot_client_payment on lot (client_id, payment_id);
create index lot_apart_place on lot (created_at, place) where apart > 0;

create table member (
    contract_id   text    not null,
    user_id       text    not null,
    client_id     text    not null,
    assigned      integer not null,
    settings      text,
    start_date    text,
    restarts      integer not null,
    cycle         integer not null,
    used_in_cycle integer not null,
    extra_credits integer not null,
    extra_used    integer not null,
    total_used    integer not null,
    due_at        integer,
    changed_by    text,
    changed_at    integer,
    as_of         integer not null,
    version       integer not null,
    primary key (contract_id, user_id)
) strict, without rowid;
create index member_user on member (client_id, user_id);
create index member_due on member (due_at) where due_at is not null;

create table client_user (
    client_id  text    not null,
    user_id    text    not null,
    name       text    not null,
    disabled   integer not null,
    changed_by text,
    as_of      integer not null,
    version    integer not null,
    primary key (client_id, user_id)
) strict, without rowid;

-- The credit that covers, or has covered, a player last; lot null: the player has been freed.
create table player (
    client_id    text    not null,
    player_id    text    not null,
    lot          text,
    ordinal      integer,
    covers_until integer,
    as_of        integer not null,
    version      integer not null,
    primary key (player_id, client_id)
) strict, without rowid;

-- The credits that players had before; some are others' by now. By these and the player's own row a player's credits are found: an index of credits by
-- player would cost each charge a page of its own.
create table former_credit (
    player_id text    not null,
    client_id text    not null,
    lot       text    not null,
    ordinal   integer not null,
    primary key (player_id, client_id, lot, ordinal)
) strict, without rowid;
create trigger player_former_credit after update on player
when old.lot is not null and (old.lot, old.ordinal) is not (new.lot, new.ordinal)
begin
    insert or ignore into former_credit (player_id, client_id, lot, ordinal) values (old.player_id, old.client_id, old.lot, old.ordinal);
end;
create view player_credit as
    select player_id, client_id, lot, ordinal from player where lot is not null
    union all select player_id, client_id, lot, ordinal from former_credit;

-- Touched credits; the others are derived from their lots. All of a lot came to be with it, so lots carry most of the lists' indexes. Minted credits
-- come one by one, by ordinal in the order of time, and have two of their own.
create table credit (
    lot           text    not null,
    ordinal       integer not null,
    client_id     text    not null,
    payment_id    text    not null,
    used_by       text,
    player_id     text,
    player_name   text,
    created_at    integer not null,
    expires_at    integer,
    activated_at  integer,
    report_id     text,
    version       integer not null,
    used_of       text,
    held_until    integer,
    place         text    not null generated always as (lot || '~') virtual,
    primary key (lot, ordinal)
) strict, without rowid;
create index credit_user on credit (used_by, created_at, place, ordinal) where used_by is not null;
create index credit_held on credit (lot) where held_until is not null;
create index credit_minted on credit (created_at) where lot glob '*~minted';
create index credit_minted_client on credit (client_id, created_at) where lot glob '*~minted';

-- How many credits' coverage ends together, as long as that is not booked: those that one report charged from one lot, or, under its ordinal and no
-- report, one that was given by hand. An end is booked by deleting its ending, and no credit's row is touched.
create table ending (
    client_id    text    not null,
    ends_at      integer not null,
    lot          text    not null,
    report_id    text    not null,
    ordinal      integer not null,
    used_by      text,
    credits      integer not null,
    last_ordinal integer not null,
    primary key (client_id, ends_at, lot, report_id, ordinal)
) strict, without rowid;

-- Of each lot how many credits with a row have expired and are booked so, and an ordinal that none of them is above: lists read no further.
create table ended (
    lot          text    not null primary key,
    credits      integer not null,
    last_ordinal integer not null
) strict, without rowid;

-- Usage is added up from indexes alone: a report's players may be many.
create table report (
    client_id          text    not null,
    report_id          text    not null,
    contract_id        text    not null,
    user_id            text    not null,
    at                 integer not null,
    charged            integer not null,
    covered            integer not null,
    players            text    not null,
    user_available     integer,
    contract_remaining integer,
    hold_until         integer,
    captured           text,
    voided             text,
    primary key (client_id, report_id)
) strict, without rowid;
create index report_instant on report (at, report_id);
create index report_client on report (client_id, at, report_id, contract_id, user_id, charged, covered);
create index report_contract on report (contract_id, at, report_id, client_id, user_id, charged, covered);
create index report_user on report (user_id, at, report_id, client_id, contract_id, charged, covered);

create table purchase (
    account_id     text    not null,
    purchase_id    text    not null,
    client_id      text    not null,
    currency       text    not null,
    quantity       integer not null,
    free           integer not null,
    allocated      integer not null,
    expired        integer not null,
    starts_on      text    not null,
    expires_on     text    not null,
    available_from integer not null,
    expires_at     integer not null,
    created_at     integer not null,
    request        text    not null,
    description    text,
    primary key (account_id, purchase_id)
) strict, without rowid;
create index purchase_open on purchase (account_id) where free > 0;
create index purchase_account on purchase (account_id, created_at, purchase_id);

create table project (
    project_id text    not null primary key,
    client_id  text    not null,
    account_id text    not null,
    currency   text    not null,
    holding    integer not null,
    name       text    not null,
    version    integer not null
) strict, without rowid;
create index project_account on project (account_id, project_id);
create index project_client on project (client_id, project_id);

create table milestone (
    milestone_id     text    not null primary key,
    client_id        text    not null,
    project_id       text    not null,
    services_credits integer not null,
    status           text    not null,
    actual_date      text,
    was_allocated    integer not null,
    holdings         text    not null,
    name             text    not null,
    is_allocated     integer not null,
    version          integer not null
) strict, without rowid;
create index milestone_project on milestone (project_id, milestone_id);
create index milestone_client on milestone (client_id, milestone_id);

-- Only ever appended to; allocation_id is what they are summed by.
create table consumption (
    account_id    text    not null,
    number        integer not null,
    kind          text    not null,
    purchase_id   text    not null,
    milestone_id  text,
    allocation_id text    not null,
    currency      text    not null,
    quantity      integer not null,
    date          text    not null,
    at            integer not null,
    primary key (account_id, number)
) strict, without rowid;
create index consumption_purchase on consumption (account_id, purchase_id, at, quantity) where milestone_id is not null;
create index consumption_allocation on consumption (account_id, allocation_id, currency);
create index consumption_milestone on consumption (milestone_id, account_id, number) where milestone_id is not null;

-- The ledger: only ever appended to.
create table entry (
    entry_id         integer primary key autoincrement,
    kind             text    not null,
    effective_at     integer not null,
    booked_at        integer not null,
    actor            text    not null,
    reason           text,
    cause            text    not null,
    subject          text    not null,
    quantity         integer not null,
    services_credits integer,
    before           text,
    after            text,
    client_id        text    not null,
    contract_id      text,
    user_id          text,
    report_id        text,
    lot_id           text,
    used_of          text,
    account_id       text
) strict;
create index entry_client on entry (client_id);
create index entry_contract on entry (contract_id) where contract_id is not null;
create index entry_user on entry (user_id) where user_id is not null;
create index entry_report on entry (report_id) where report_id is not null;
create index entry_account on entry (account_id) where account_id is not null;
create index entry_returned on entry (contract_id, effective_at) where kind = 'credits-returned';
-- A credit's history: what happened to its lot, and to it alone.
create index entry_lot on entry (contract_id, lot_id) where kind in ('lot-granted', 'lot-set', 'lot-expired', 'lot-withdrawn');
-- What purchases were before they were corrected.
create index entry_purchase_set on entry (account_id) where kind = 'purchase-set';
create index entry_credit on entry (subject) where subject glob 'credit:*';

-- Sums of a contract's entries up to one of them, so that only later ones are added up. Derived from entries; readers write them. Those of an archive,
-- which have archived_before, must stay: entries that they count are gone, and answers begin at that instant.
create table checkpoint (
    contract_id text    not null,
    entry_id    integer not null,
    -- When the first of the entries behind the checkpoint before took effect, and when the last of all.
    earliest    integer not null,
    latest      integer not null,
    archived_before integer,
    sums        text    not null,
    primary key (contract_id, entry_id)
) strict;

-- What a user's reports used on a local day that is over: usage adds up days and what came since. Derived from reports and entries; readers write it.
create table usage_day (
    contract_id text    not null,
    begins      integer not null,
    user_id     text    not null,
    client_id   text    not null,
    ends        integer not null,
    reports     integer not null,
    charged     integer not null,
    covered     integer not null,
    given_back  integer not null,
    primary key (contract_id, begins, user_id)
) strict, without rowid;

-- One row: which file this is, renewed at each start and close; see LedgerHistory.
create table mark (value text not null) strict;

-- One row at most: of the entries up to this one, booked before that instant, most are archived.
create table retention (archived_id integer not null, archived_before integer not null) strict;

-- What is one grain's alone (IPersistentState); version is its etag.
create table grain_state (
    state   text    not null,
    grain   text    not null,
    version integer not null,
    body    text    not null,
    primary key (state, grain)
) strict, without rowid;
