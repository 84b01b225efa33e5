-- Services credits are whole ten-thousandths; dates are days of the account's zone, as text.

create table purchases (
    account_id text not null, purchase_id text not null, client_id text not null, currency text not null, quantity integer not null, free integer not null,
    allocated integer not null, expired integer not null, starts_on text not null, expires_on text not null, available_from integer not null, expires_at integer not null,
    created_at integer not null, request text not null,
    primary key (account_id, purchase_id)
) strict, without rowid;
create index purchases_open on purchases (account_id) where free > 0;
create index purchases_of_account on purchases (account_id, created_at, purchase_id);

create table projects (
    project_id text not null primary key, client_id text not null, account_id text not null, currency text not null, holding integer not null, version integer not null
) strict, without rowid;
create index projects_of_account on projects (account_id, project_id);
create index projects_of_client on projects (client_id, project_id);

create table milestones (
    milestone_id text not null primary key, client_id text not null, project_id text not null, services_credits integer not null, status text not null, actual_date text,
    was_allocated integer not null, holdings text not null, version integer not null
) strict, without rowid;
create index milestones_of_project on milestones (project_id, milestone_id);
create index milestones_of_client on milestones (client_id, milestone_id);

-- Only ever appended to. allocation_id: what they are summed by.
create table consumptions (
    account_id text not null, number integer not null, kind text not null, purchase_id text not null, milestone_id text, allocation_id text not null, currency text not null,
    quantity integer not null, date text not null, at integer not null,
    primary key (account_id, number)
) strict, without rowid;
create index consumptions_of_purchase on consumptions (account_id, purchase_id, at, quantity) where milestone_id is not null;
create index consumptions_of_allocation on consumptions (account_id, allocation_id);
create index consumptions_of_milestone on consumptions (milestone_id, account_id, number) where milestone_id is not null;

alter table entries add column services_credits integer;
alter table entries add column account_id text;
create index entries_of_account on entries (account_id) where account_id is not null;
