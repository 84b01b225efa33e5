-- Usage is added up from indexes alone: a report's players may be many.
drop index report_client_list;
drop index report_contract_list;
create index report_client_list on report (client_id, at, report_id) include (contract_id, user_id, charged, covered);
create index report_contract_list on report (contract_id, at, client_id, report_id) include (user_id, charged, covered);
create index report_user_list on report (user_id, at, report_id, client_id) include (contract_id, charged, covered);
create index entry_returned on entry (contract_id, effective_at) where kind = 'credits-returned';

-- A credit's history: what happened to its lot.
create index entry_lot on entry (contract_id, lot_id) where kind in ('lot-granted', 'lot-expiry-set', 'lot-expired');

-- The feed (G4): in the order of transactions, and within one of entries.
create index entry_feed on entry (transaction, entry_id);
create index entry_feed_of_client on entry (client_id, transaction, entry_id);
create index entry_feed_of_contract on entry (contract_id, transaction, entry_id);
