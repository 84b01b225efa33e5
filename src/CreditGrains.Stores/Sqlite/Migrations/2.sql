-- What users may use of a contract (A1 to A5): settings are JSON, amount is theirs, to be compared with; cycle -1 is none.
alter table members add column settings text;
alter table members add column start_date text;
alter table members add column amount integer;
alter table members add column restarts integer not null default 0;
alter table members add column cycle integer not null default -1;
alter table members add column used_in_cycle integer not null default 0;
alter table members add column extra_credits integer not null default 0;
alter table members add column extra_used integer not null default 0;
alter table members add column due_at integer;
create index members_due on members (due_at) where due_at is not null;

alter table credits add column used_of text;
alter table entries add column used_of text;
