-- A credit's history: what was done to it alone (P5).
create index entries_of_credit on entries (subject) where subject glob 'credit:*';
