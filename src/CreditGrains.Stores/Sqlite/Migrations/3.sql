-- Usage is added up from indexes alone: a report's body may be large.
alter table reports add column covered integer not null default 0;
update reports set covered = json_extract(body, '$.covered');
drop index reports_of_client;
drop index reports_of_contract;
drop index reports_of_user;
create index reports_of_client on reports (client_id, at, report_id, contract_id, user_id, charged, covered);
create index reports_of_contract on reports (contract_id, at, report_id, client_id, user_id, charged, covered);
create index reports_of_user on reports (user_id, at, report_id, client_id, contract_id, charged, covered);
create index entries_returned on entries (contract_id, effective_at) where kind = 'CreditsReturned';

-- A credit's history: what happened to its lot.
create index entries_of_lot on entries (contract_id, lot_id) where kind in ('LotGranted', 'LotExpirySet', 'LotExpired');

-- Balances as of an instant are added up from this alone.
create index entries_of_contract_by_effect on entries (contract_id, effective_at, kind, lot_id, user_id, quantity) where contract_id is not null;
