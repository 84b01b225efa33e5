-- What users may use of a contract (A1 to A5): settings are JSON, amount is theirs, to be compared with; cycle -1 is none.
alter table member
    add column settings text,
    add column start_date date,
    add column amount bigint,
    add column restarts integer not null default 0,
    add column cycle integer not null default -1,
    add column used_in_cycle bigint not null default 0,
    add column extra_credits bigint not null default 0,
    add column extra_used bigint not null default 0,
    add column due_at timestamptz;
create index member_due on member (due_at) where due_at is not null;

alter table credit add column used_of text;
alter table entry add column used_of text;
