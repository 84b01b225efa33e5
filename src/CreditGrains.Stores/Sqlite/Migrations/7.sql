-- What belongs to one grain alone (IPersistentState); version is its etag.
create table grain_state (state text not null, grain text not null, version integer not null, body text not null, primary key (state, grain)) strict, without rowid;
