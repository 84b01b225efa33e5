-- The limit: a report as one function in one round trip, with the rows that the product keeps for lists and ledger. It checks balances and coverage and nothing else.
create table limit_contract (
    contract_id text primary key,
    client_id   text not null,
    available   bigint not null,
    used        bigint not null default 0
);
create table limit_member (
    contract_id text,
    user_id     text,
    used        bigint not null default 0,
    primary key (contract_id, user_id)
);
create table limit_credit (
    client_id    text,
    player_id    text,
    contract_id  text not null,
    user_id      text not null,
    report_id    text not null,
    activated_at timestamptz not null,
    expires_at   timestamptz not null,
    primary key (client_id, player_id)
);
create table limit_report (
    client_id   text,
    report_id   text,
    contract_id text not null,
    user_id     text not null,
    at          timestamptz not null,
    charged     integer not null,
    players     text[] not null,
    primary key (client_id, report_id)
);
create index on limit_report (contract_id, at);
create table limit_entry (
    entry_id    bigint generated always as identity primary key,
    at          timestamptz not null,
    contract_id text not null,
    user_id     text not null,
    report_id   text not null,
    quantity    bigint not null,
    remaining   bigint not null
);
create index on limit_entry (contract_id, entry_id);

create function consume(report text, contract text, consumer text, players text[], out charged integer, out client text, out remaining bigint, out at timestamptz, out new_players text[])
language plpgsql as $$
begin
    at := now();
    select client_id, available into client, remaining from limit_contract where contract_id = contract;
    with charged_now as (
        insert into limit_credit as c (client_id, player_id, contract_id, user_id, report_id, activated_at, expires_at)
        select client, p, contract, consumer, report, at, at + interval '30 days' from unnest(players) p
        on conflict (client_id, player_id) do update
            set contract_id = excluded.contract_id, user_id = excluded.user_id, report_id = excluded.report_id, activated_at = excluded.activated_at, expires_at = excluded.expires_at
            where c.expires_at <= at
        returning player_id)
    select count(*), coalesce(array_agg(player_id), '{}') into charged, new_players from charged_now;
    if charged > 0 then
        update limit_member set used = used + charged where contract_id = contract and user_id = consumer;
        if not found then raise exception 'user-not-assigned'; end if;
        update limit_contract set available = available - charged, used = used + charged where contract_id = contract and available >= charged returning available into remaining;
        if not found then raise exception 'insufficient-contract-credits'; end if;
        insert into limit_entry (at, contract_id, user_id, report_id, quantity, remaining) values (at, contract, consumer, report, charged, remaining);
    end if;
    insert into limit_report (client_id, report_id, contract_id, user_id, at, charged, players) values (client, report, contract, consumer, at, charged, players);
end $$;
