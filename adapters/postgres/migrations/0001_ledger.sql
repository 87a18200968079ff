-- The ledger: one dense, hash-chained stream of events per organization.
--
-- Everything in it is written by ledger.append, in one statement and one round trip. Nobody else may write, and what
-- is written stays. The roles and the schema are there before this runs, and it runs as their owner.

alter default privileges revoke execute on functions from public;  -- of the owner's functions, also in later migrations

-- Which history this is. Positions are comparable only within one ledger and epoch; a restore that loses events
-- raises the epoch.
create table ledger.source (
  only_row  boolean primary key default true check (only_row),
  ledger_id uuid    not null default gen_random_uuid(),
  epoch     integer not null default 1 check (epoch > 0)
);
insert into ledger.source default values;

-- CACHE 1: with a cache a session draws numbers early, and a follower passes over them before they are used.
create sequence ledger.position as bigint cache 1;

create table ledger.events (
  organization_id    uuid   not null,
  originator_id      uuid   not null,
  originator_version bigint not null,
  organization_seq   bigint not null,  -- 1, 2, 3, … without a gap
  position           bigint not null,  -- rising over all organizations, with gaps; opaque
  recorded_at        bigint not null,  -- microseconds since 1970, one for all events of a save
  topic              text   not null,
  state              bytea  not null check (octet_length(state) <= 256 * 1024),
  metadata           bytea  not null check (octet_length(metadata) <= 16 * 1024),  -- bytes, for the chain covers them
  chain_hash         bytea  not null,
  primary key (organization_id, originator_id, originator_version),
  unique (organization_id, organization_seq)
);
create index events_position on ledger.events (position);  -- not unique: partitions by organization must stay possible

create table ledger.commands (
  organization_id  uuid    not null,
  command_id       uuid    not null,
  step             text    not null,
  fingerprint      bytea   not null,
  position         bigint  not null,  -- of the save's last event; of the organization's last one if it told nothing
  organization_seq bigint  not null,  -- likewise
  events           integer not null,
  recorded_at      bigint  not null,
  primary key (organization_id, command_id, step)
);

-- The only rows of history that may go: erasing is deleting them. The newest of a subject and purpose is the current one.
create table ledger.personal_facts (
  organization_id  uuid   not null,
  fact_id          uuid   not null,
  subject_id       uuid   not null,
  purpose          text   not null,
  value            text   not null,
  salt             bytea  not null,
  keep_until       date,
  organization_seq bigint not null,  -- where history stood after the save that brought it
  primary key (organization_id, fact_id)
);
create index personal_facts_subject on ledger.personal_facts (organization_id, subject_id);

-- A text without its case, the same in every database whatever its locale.
create function ledger.folded(value text) returns text language sql immutable
return lower(value collate pg_c_utf8) collate "C";

-- What names are looked up by: cut, because an index row has a size limit, and nothing for other purposes. Neither a
-- partial index nor a purpose in its columns: before the first ANALYZE the planner would take both for better keys.
create function ledger.name_key(purpose text, value text) returns text language sql immutable
return case when purpose in ('user_name', 'display_name', 'first_name', 'last_name') then left(ledger.folded(value), 200) end;

create index personal_facts_name on ledger.personal_facts (organization_id, ledger.name_key(purpose, value));

-- What a load starts from instead of the first event; a copy that may be thrown away.
create table ledger.snapshots (
  organization_id uuid   not null,
  originator_id   uuid   not null,
  version         bigint not null,
  topic           text   not null,  -- of the aggregate
  shape           bytea  not null,
  state           bytea  not null,
  occurred_at     bigint not null,  -- microseconds since 1970, of the version's event
  primary key (organization_id, originator_id)
);
alter table ledger.snapshots alter column state set storage external;  -- packed ids do not compress; trying costs time

-- The chain. Every field has a fixed length or its length before it, so no two events have the same preimage.

create function ledger.genesis(organization_id uuid) returns bytea language sql immutable
return sha256('seatledger.genesis.1'::bytea || uuid_send(organization_id));

create function ledger.link(
  previous bytea, organization_id uuid, organization_seq bigint, "position" bigint, originator_id uuid,
  originator_version bigint, recorded_at bigint, topic bytea, metadata bytea, state bytea
) returns bytea language sql immutable
return sha256(
  'seatledger.event.1'::bytea || previous || uuid_send(organization_id) || int8send(organization_seq)
  || int8send("position") || uuid_send(originator_id) || int8send(originator_version) || int8send(recorded_at)
  || int4send(octet_length(topic)) || int4send(octet_length(metadata)) || int4send(octet_length(state))
  || topic || metadata || state);

-- The caller decided on what it saw; SQLSTATE 23000 tells it to look again, its detail is the aggregate's id.

create function ledger.refuse_moved(organization uuid, originator uuid, expected bigint) returns void
language plpgsql as $$
declare
  found_version bigint;
begin
  select e.originator_version into found_version from ledger.events e
   where e.organization_id = organization and e.originator_id = originator
   order by e.originator_version desc limit 1;
  if coalesce(found_version, 0) <> expected then
    raise exception using errcode = 'integrity_constraint_violation', constraint = 'expected_version',
      message = format('aggregate %s is at version %s, not %s', originator, coalesce(found_version, 0), expected),
      detail = originator::text;
  end if;
end $$;

-- Personal facts. A user name belongs to one member of an organization at a time.

create function ledger.keep_facts(organization uuid, seq bigint, facts jsonb) returns void
language plpgsql as $$
declare
  holder uuid;
  holder_is_new boolean;
begin
  insert into ledger.personal_facts
  select organization, f.fact_id, f.subject_id, f.purpose, f.value, decode(f.salt, 'hex'), f.keep_until, seq
    from jsonb_to_recordset(facts)
      as f(fact_id uuid, subject_id uuid, purpose text, value text, salt text, keep_until date);

  -- One look into the index for each name: a join is planned badly as long as the table was never analyzed.
  select holding.subject_id, holding.organization_seq = seq into holder, holder_is_new
    from jsonb_to_recordset(facts) as f(subject_id uuid, purpose text, value text),
    lateral (
      select held.subject_id, held.organization_seq from ledger.personal_facts held
       where held.organization_id = organization and held.purpose = 'user_name'
         and ledger.name_key(held.purpose, held.value) = ledger.name_key('user_name', f.value)
         and ledger.folded(held.value) = ledger.folded(f.value) and held.subject_id <> f.subject_id
         and held.organization_seq = (
           select max(newest.organization_seq) from ledger.personal_facts newest
            where newest.organization_id = organization and newest.subject_id = held.subject_id
              and newest.purpose = 'user_name')
       limit 1) holding
   where f.purpose = 'user_name'
   limit 1;
  if found then
    raise exception using
      errcode = case when holder_is_new then 'unique_violation' else 'integrity_constraint_violation' end,
      constraint = 'user_name_of_one_member', detail = holder::text,
      message = format('the user name belongs to member %s', holder);
  end if;
end $$;

create function ledger.append(
  organization uuid, command uuid, command_step text, command_fingerprint bytea,
  originators uuid[], versions bigint[], topics text[], states bytea[], envelopes bytea[],
  seen uuid[], seen_versions bigint[], facts jsonb,
  -- the receipt, of now or of the first time
  out repeated boolean, out fingerprint bytea, out "position" bigint, out organization_seq bigint, out events integer,
  out recorded_at bigint
) language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  chain bytea;
  chains bytea[];
  positions bigint[];
begin
  -- 1. One at a time within the organization, from here to the end of the commit. Then where its stream stands.
  -- No transaction id yet: those who queue here for a busy organization would hold up every follower.
  perform pg_advisory_xact_lock(uuid_hash_extended(organization, 0));
  select e.position, e.organization_seq, e.recorded_at, e.chain_hash
    into append.position, append.organization_seq, append.recorded_at, chain
    from ledger.events e where e.organization_id = organization
   order by e.organization_seq desc limit 1;
  if not found then
    append.position := 0; append.organization_seq := 0; append.recorded_at := 0;
    chain := ledger.genesis(organization);
  end if;

  -- 2. Was this step of this command recorded before? Then nothing else matters, versions least of all.
  repeated := exists (
    select from ledger.commands c
     where c.organization_id = organization and c.command_id = command and c.step = command_step);
  if repeated then
    select c.fingerprint, c.position, c.organization_seq, c.events, c.recorded_at
      into append.fingerprint, append.position, append.organization_seq, append.events, append.recorded_at
      from ledger.commands c
     where c.organization_id = organization and c.command_id = command and c.step = command_step;
    return;
  end if;

  -- 3. Is everything still as the caller saw it: what it wrote, and what it only read?
  for i in 1 .. cardinality(originators) loop
    continue when i > 1 and originators[i] = originators[i - 1] and versions[i] = versions[i - 1] + 1;
    perform ledger.refuse_moved(organization, originators[i], versions[i] - 1);
  end loop;
  if cardinality(seen) > 0 then
    perform ledger.refuse_moved(organization, moved.id, moved.version)
       from unnest(seen, seen_versions) as moved(id, version)
      where moved.version <> coalesce((
        select e.originator_version from ledger.events e
         where e.organization_id = organization and e.originator_id = moved.id
         order by e.originator_version desc limit 1), 0);
  end if;

  -- 4. Own a transaction id before any position is drawn: it is what the followers' barrier waits for.
  perform pg_current_xact_id();

  -- 5. Tell it. One time for the whole save, so that no reading "as of then" ends inside one.
  fingerprint := command_fingerprint; append.events := cardinality(originators);
  append.recorded_at := greatest(append.recorded_at, (extract(epoch from clock_timestamp()) * 1000000)::bigint);
  for i in 1 .. append.events loop
    append.organization_seq := append.organization_seq + 1;
    append.position := nextval('ledger.position');
    chain := ledger.link(chain, organization, append.organization_seq, append.position, originators[i], versions[i],
      append.recorded_at, convert_to(topics[i], 'UTF8'), envelopes[i], states[i]);
    positions[i] := append.position;
    chains[i] := chain;
  end loop;
  if append.events = 1 then  -- the usual save, for which the set would cost a fifth more
    insert into ledger.events values (organization, originators[1], versions[1], append.organization_seq,
      append.position, append.recorded_at, topics[1], states[1], envelopes[1], chain);
  else  -- half the cost of a statement for each
    insert into ledger.events
    select organization, e.originator, e.version, append.organization_seq - append.events + e.i, e.position,
           append.recorded_at, e.topic, e.state, e.envelope, e.chain
      from unnest(originators, versions, positions, topics, states, envelopes, chains)
        with ordinality as e(originator, version, position, topic, state, envelope, chain, i);
  end if;

  -- 6. What must be erasable beside it, and the receipt: also of a command that told nothing.
  if facts is not null then
    perform ledger.keep_facts(organization, append.organization_seq, facts);
  end if;
  insert into ledger.commands values (organization, command, command_step, command_fingerprint,
    append.position, append.organization_seq, append.events, append.recorded_at);
end $$;

-- A snapshot never goes back, and never says more than history. One of the same version may be of another shape.

create function ledger.keep_snapshot(
  organization uuid, originator uuid, snapshot_version bigint, snapshot_topic text, snapshot_shape bytea,
  snapshot_state bytea, snapshot_occurred_at bigint
) returns void language sql security definer set search_path = pg_catalog, pg_temp as $$
  insert into ledger.snapshots as kept
  select organization, originator, snapshot_version, snapshot_topic, snapshot_shape, snapshot_state, snapshot_occurred_at
    from ledger.events e
   where e.organization_id = organization and e.originator_id = originator and e.originator_version = snapshot_version
  on conflict (organization_id, originator_id) do update
     set version = excluded.version, topic = excluded.topic, shape = excluded.shape, state = excluded.state,
         occurred_at = excluded.occurred_at
   where excluded.version >= kept.version;
$$;

-- What is recorded stays: for the owner too, and under session_replication_role = replica.

create function ledger.refuse() returns trigger language plpgsql as $$
begin
  raise exception '% of %.% is refused: history only grows', tg_op, tg_table_schema, tg_table_name;
end $$;
create trigger only_grows before update or delete or truncate on ledger.events execute function ledger.refuse();
create trigger only_grows before update or delete or truncate on ledger.commands execute function ledger.refuse();
create trigger never_changes before update or truncate on ledger.personal_facts execute function ledger.refuse();
alter table ledger.events enable always trigger only_grows;
alter table ledger.commands enable always trigger only_grows;
alter table ledger.personal_facts enable always trigger never_changes;

-- Who may do what: the application appends and reads; the projector reads what has no names in it.

grant usage on schema ledger to seatledger_app, seatledger_projector;
grant select on all tables in schema ledger to seatledger_app;
grant select on ledger.events, ledger.commands, ledger.snapshots, ledger.source, ledger.migrations to seatledger_projector;
grant select on sequence ledger.position to seatledger_app, seatledger_projector;  -- last_value, not nextval
grant execute on function ledger.append, ledger.keep_snapshot to seatledger_app;
grant execute on function ledger.genesis, ledger.link, ledger.folded, ledger.name_key to seatledger_app, seatledger_projector;
