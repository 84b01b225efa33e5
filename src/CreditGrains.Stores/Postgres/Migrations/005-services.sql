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
    primary key (account_id, purchase_id)
) with (fillfactor = 70);
create index purchase_list on purchase (account_id, created_at, purchase_id);

create table project (
    project_id text collate "C" primary key,
    client_id  text collate "C" not null,
    account_id text collate "C" not null,
    currency   text not null,
    holding    integer not null,
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

alter table entry add column services_credits bigint;
alter table entry add column account_id text collate "C";
create index entry_account on entry (account_id, entry_id) where account_id is not null;
