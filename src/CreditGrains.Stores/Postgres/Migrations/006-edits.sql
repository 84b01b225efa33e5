-- A credit's history: what was done to it alone (P5).
create index entry_credit on entry (subject) where subject like 'credit:%';
