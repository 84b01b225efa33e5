-- What the Orleans ADO.NET providers for membership, reminders and grain state need: they find each statement in OrleansQuery by its key
-- and know only parameter names and result columns. The tables are ours.

create table OrleansQuery (
    QueryKey  varchar(64) primary key,
    QueryText varchar(8000) not null
);

create table orleans_cluster (
    deployment_id varchar(150) primary key,
    version       integer not null default 0
);

create table orleans_silo (
    deployment_id varchar(150) not null references orleans_cluster,
    address       varchar(45) not null,
    port          integer not null,
    generation    integer not null,
    silo_name     varchar(150) not null,
    host_name     varchar(150) not null,
    status        integer not null,
    proxy_port    integer,
    suspect_times varchar(8000),
    started_at    timestamptz not null,
    alive_at      timestamptz not null,
    primary key (deployment_id, address, port, generation)
);

create table orleans_reminder (
    service_id    varchar(150) not null,
    grain_id      varchar(300) not null,
    reminder_name varchar(150) not null,
    start_time    timestamptz not null,
    period        bigint not null,
    grain_hash    integer not null,
    version       integer not null,
    primary key (service_id, grain_id, reminder_name)
);
-- Each silo reads the range of hashes that it owns again and again.
create index orleans_reminder_range on orleans_reminder (service_id, grain_hash);

create table orleans_state (
    service_id      varchar(150) not null,
    grain_type_hash integer not null,
    grain_type      varchar(512) not null,
    grain_id_hash   integer not null,
    n0              bigint not null,
    n1              bigint not null,
    extension       varchar(512),
    payload         bytea,
    changed_at      timestamptz not null,
    version         integer not null
);
-- Without it two first writes of one state would both succeed, and the grain could never be loaded again.
create unique index orleans_state_key on orleans_state (grain_id_hash, grain_type_hash, service_id, grain_type, n0, n1, extension) nulls not distinct;

insert into OrleansQuery (QueryKey, QueryText) values
('InsertMembershipVersionKey', '
    with made as (insert into orleans_cluster (deployment_id) values (@DeploymentId) on conflict do nothing returning 1)
    select count(*)::integer from made'),

('InsertMembershipKey', '
    with raised as (
        update orleans_cluster set version = version + 1
        where deployment_id = @DeploymentId and version = @Version
          and not exists (select from orleans_silo where deployment_id = @DeploymentId and address = @Address and port = @Port and generation = @Generation)
        returning 1),
    made as (
        insert into orleans_silo (deployment_id, address, port, generation, silo_name, host_name, status, proxy_port, started_at, alive_at)
        select @DeploymentId, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime from raised
        returning 1)
    select count(*)::integer from made'),

('UpdateMembershipKey', '
    with raised as (
        update orleans_cluster set version = version + 1
        where deployment_id = @DeploymentId and version = @Version
          and exists (select from orleans_silo where deployment_id = @DeploymentId and address = @Address and port = @Port and generation = @Generation)
        returning 1),
    changed as (
        update orleans_silo set status = @Status, suspect_times = @SuspectTimes, alive_at = @IAmAliveTime
        where deployment_id = @DeploymentId and address = @Address and port = @Port and generation = @Generation and exists (select from raised)
        returning 1)
    select count(*)::integer from changed'),

('UpdateIAmAlivetimeKey', '
    update orleans_silo set alive_at = @IAmAliveTime
    where deployment_id = @DeploymentId and address = @Address and port = @Port and generation = @Generation'),

('MembershipReadRowKey', '
    select c.deployment_id as DeploymentId, s.address as Address, s.port as Port, s.generation as Generation, s.silo_name as SiloName, s.host_name as HostName,
           s.status as Status, s.proxy_port as ProxyPort, s.suspect_times as SuspectTimes, s.started_at as StartTime, s.alive_at as IAmAliveTime, c.version as Version
    from orleans_cluster c left join orleans_silo s on s.deployment_id = c.deployment_id and s.address = @Address and s.port = @Port and s.generation = @Generation
    where c.deployment_id = @DeploymentId'),

('MembershipReadAllKey', '
    select c.deployment_id as DeploymentId, s.address as Address, s.port as Port, s.generation as Generation, s.silo_name as SiloName, s.host_name as HostName,
           s.status as Status, s.proxy_port as ProxyPort, s.suspect_times as SuspectTimes, s.started_at as StartTime, s.alive_at as IAmAliveTime, c.version as Version
    from orleans_cluster c left join orleans_silo s on s.deployment_id = c.deployment_id
    where c.deployment_id = @DeploymentId'),

('DeleteMembershipTableEntriesKey', '
    delete from orleans_silo where deployment_id = @DeploymentId;
    delete from orleans_cluster where deployment_id = @DeploymentId'),

('GatewaysQueryKey', '
    select address as Address, proxy_port as ProxyPort, generation as Generation
    from orleans_silo where deployment_id = @DeploymentId and status = @Status and proxy_port > 0'),

-- 3: active. What is not active and has long been silent is forgotten.
('CleanupDefunctSiloEntriesKey', '
    delete from orleans_silo where deployment_id = @DeploymentId and alive_at < @IAmAliveTime and status <> 3'),

('UpsertReminderRowKey', '
    insert into orleans_reminder (service_id, grain_id, reminder_name, start_time, period, grain_hash, version)
    values (@ServiceId, @GrainId, @ReminderName, @StartTime, @Period, @GrainHash, 0)
    on conflict (service_id, grain_id, reminder_name) do update
        set start_time = excluded.start_time, period = excluded.period, grain_hash = excluded.grain_hash, version = orleans_reminder.version + 1
    returning version as Version'),

('ReadReminderRowsKey', '
    select grain_id as GrainId, reminder_name as ReminderName, start_time as StartTime, period as Period, version as Version
    from orleans_reminder where service_id = @ServiceId and grain_id = @GrainId'),

('ReadReminderRowKey', '
    select grain_id as GrainId, reminder_name as ReminderName, start_time as StartTime, period as Period, version as Version
    from orleans_reminder where service_id = @ServiceId and grain_id = @GrainId and reminder_name = @ReminderName'),

('ReadRangeRows1Key', '
    select grain_id as GrainId, reminder_name as ReminderName, start_time as StartTime, period as Period, version as Version
    from orleans_reminder where service_id = @ServiceId and grain_hash > @BeginHash and grain_hash <= @EndHash'),

('ReadRangeRows2Key', '
    select grain_id as GrainId, reminder_name as ReminderName, start_time as StartTime, period as Period, version as Version
    from orleans_reminder where service_id = @ServiceId and (grain_hash > @BeginHash or grain_hash <= @EndHash)'),

('DeleteReminderRowKey', '
    with gone as (
        delete from orleans_reminder where service_id = @ServiceId and grain_id = @GrainId and reminder_name = @ReminderName and version = @Version
        returning 1)
    select count(*)::integer from gone'),

('DeleteReminderRowsKey', '
    delete from orleans_reminder where service_id = @ServiceId'),

('WriteToStorageKey', '
    with made as (
        insert into orleans_state (service_id, grain_type_hash, grain_type, grain_id_hash, n0, n1, extension, payload, changed_at, version)
        select @ServiceId, @GrainTypeHash, @GrainTypeString, @GrainIdHash, @GrainIdN0, @GrainIdN1, @GrainIdExtensionString, @PayloadBinary, now(), 1
        where @GrainStateVersion is null
        on conflict do nothing returning version),
    changed as (
        update orleans_state set payload = @PayloadBinary, changed_at = now(), version = version + 1
        where service_id = @ServiceId and grain_type_hash = @GrainTypeHash and grain_type = @GrainTypeString and grain_id_hash = @GrainIdHash
          and n0 = @GrainIdN0 and n1 = @GrainIdN1 and extension is not distinct from @GrainIdExtensionString and version = @GrainStateVersion
        returning version)
    select coalesce((select version from made), (select version from changed), @GrainStateVersion) as NewGrainStateVersion'),

('ReadFromStorageKey', '
    select payload as PayloadBinary, version as Version from orleans_state
    where service_id = @ServiceId and grain_type_hash = @GrainTypeHash and grain_type = @GrainTypeString and grain_id_hash = @GrainIdHash
      and n0 = @GrainIdN0 and n1 = @GrainIdN1 and extension is not distinct from @GrainIdExtensionString'),

('ClearStorageKey', '
    update orleans_state set payload = null, changed_at = now(), version = version + 1
    where service_id = @ServiceId and grain_type_hash = @GrainTypeHash and grain_type = @GrainTypeString and grain_id_hash = @GrainIdHash
      and n0 = @GrainIdN0 and n1 = @GrainIdN1 and extension is not distinct from @GrainIdExtensionString and version = @GrainStateVersion
    returning version as NewGrainStateVersion'),

('DeleteStorageKey', '
    delete from orleans_state
    where service_id = @ServiceId and grain_type_hash = @GrainTypeHash and grain_type = @GrainTypeString and grain_id_hash = @GrainIdHash
      and n0 = @GrainIdN0 and n1 = @GrainIdN1 and extension is not distinct from @GrainIdExtensionString and version = @GrainStateVersion
    returning version + 1 as NewGrainStateVersion');
