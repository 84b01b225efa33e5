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

-- Balances as of an instant are added up from this alone.
create index entry_effect on entry (contract_id, effective_at) include (kind, lot_id, user_id, quantity);

-- Lists of a million: each filter's own order.
create index lot_id_list on lot (lot_id, created_at, key);
create index credit_minted_list on credit (created_at, lot, ordinal) where lot like '%~minted';
create index credit_minted_of_client on credit (client_id, created_at, lot, ordinal) where lot like '%~minted';
drop index credit_former;
create index credit_player on credit (player_id, created_at, lot, ordinal) where player_id is not null;
create index credit_freed on credit (lot, ordinal) where player_id is null;
create index credit_allocated on credit (lot, ordinal) where player_id is not null and not expiry_booked;
create index credit_expired on credit (lot, ordinal) where expiry_booked;
drop index entry_client_report;
create index entry_client on entry (client_id, entry_id);
create index entry_user on entry (user_id, entry_id) where user_id is not null;
create index entry_report on entry (report_id, entry_id) where report_id is not null;
