-- The API: a role that sees one organization at a time, and the keys of those who are no members.
--
-- The wall stands behind the queries' own conditions. A session says whose rows it shows by `seatledger.organization`;
-- without it, or with anything that is no organization's id, it shows none. The catalog's offers are everybody's to
-- read. The owner of a table sees all of it, as the functions that write and `pg_dump` must.

create function ledger.walled_organization() returns uuid language sql stable parallel safe
return case when pg_input_is_valid(current_setting('seatledger.organization', true), 'uuid')
            then current_setting('seatledger.organization', true)::uuid end;

-- In the order in which a load locks two of them. A sub-select is asked once for a statement and not for each row. "Is
-- true" keeps a condition out of the choice of an index: before the first ANALYZE the planner would take the wrong one.

alter table ledger.snapshots enable row level security;
alter table ledger.events enable row level security;
alter table ledger.commands enable row level security;
alter table ledger.personal_facts enable row level security;

create policy everything on ledger.snapshots for select to seatledger_app, seatledger_projector using (true);
create policy everything on ledger.events for select to seatledger_app, seatledger_projector using (true);
create policy everything on ledger.commands for select to seatledger_app, seatledger_projector using (true);
create policy everything on ledger.personal_facts for select to seatledger_app using (true);

create policy wall on ledger.snapshots for select to seatledger_api using (
  (organization_id = any (array[(select ledger.walled_organization()), '46717a82-6117-5ee5-bf68-c3530de06d4a'])) is true);
create policy wall on ledger.events for select to seatledger_api using (
  (organization_id = any (array[(select ledger.walled_organization()), '46717a82-6117-5ee5-bf68-c3530de06d4a'])) is true);
create policy wall on ledger.commands for select to seatledger_api using (
  organization_id = (select ledger.walled_organization()));
create policy wall on ledger.personal_facts for select to seatledger_api using (
  organization_id = (select ledger.walled_organization()));

-- The same wall for looks by name. A policy is asked before any condition that might tell what it compares, and those
-- on names are such: under it PostgreSQL does not use the index of names, and reads all facts for each name.
create view ledger.personal_facts_within as
select * from ledger.personal_facts where organization_id = (select ledger.walled_organization());

-- What the API may write: within the wall.

create function ledger.append_within(
  organization uuid, command uuid, command_step text, command_fingerprint bytea,
  originators uuid[], versions bigint[], topics text[], states bytea[], envelopes bytea[],
  seen uuid[], seen_versions bigint[], facts jsonb,
  out repeated boolean, out fingerprint bytea, out "position" bigint, out organization_seq bigint, out events integer,
  out recorded_at bigint
) language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if organization is distinct from ledger.walled_organization() then
    raise exception using errcode = 'insufficient_privilege',
      message = 'the command is for another organization than the request may see';
  end if;
  select * into repeated, fingerprint, "position", organization_seq, events, recorded_at
    from ledger.append(organization, command, command_step, command_fingerprint, originators, versions, topics, states,
      envelopes, seen, seen_versions, facts);
end $$;

-- One that is not kept, as of an offer with a long history, costs time and nothing else.
create function ledger.keep_snapshot_within(
  organization uuid, originator uuid, snapshot_version bigint, snapshot_topic text, snapshot_shape bytea,
  snapshot_state bytea, snapshot_occurred_at bigint
) returns void language sql security definer set search_path = pg_catalog, pg_temp as $$
  select ledger.keep_snapshot(organization, originator, snapshot_version, snapshot_topic, snapshot_shape,
    snapshot_state, snapshot_occurred_at)
   where organization = ledger.walled_organization();
$$;

-- The source and the migrations say nothing of any organization; a process looks at them when it starts.
grant usage on schema ledger to seatledger_api;
grant select on ledger.events, ledger.commands, ledger.snapshots, ledger.personal_facts, ledger.personal_facts_within,
  ledger.source, ledger.migrations to seatledger_api;
grant execute on function ledger.walled_organization, ledger.append_within, ledger.keep_snapshot_within,
  ledger.genesis, ledger.link, ledger.folded, ledger.name_key to seatledger_api;

-- Read tables, those of today and those that the projector makes from now on: it calls this as their owner.

create function projections.wall(read_table regclass) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  execute format('alter table %s enable row level security', read_table);
  execute format('create policy everything on %s for select to seatledger_app using (true)', read_table);
  execute format(
    'create policy wall on %s for select to seatledger_api using (organization_id = (select ledger.walled_organization()))',
    read_table);
  execute format('grant select on %s to seatledger_app, seatledger_api', read_table);
end $$;

grant execute on function projections.wall to seatledger_projector;
grant usage on schema projections to seatledger_api;
grant select on projections.builds to seatledger_api;

do $$
declare
  read_table regclass;
begin
  for read_table in
    select there from projections.builds, unnest(tables) as name, to_regclass(format('projections.%I', name)) as there
     where there is not null order by name
  loop
    perform projections.wall(read_table);
  end loop;
end $$;

-- The keys of services and operators. Only a key's hash is stored; it is revoked and never deleted.

create schema api;

create table api.keys (
  key_id        text        collate "C" primary key check (key_id ~ '^[0-9a-f]{12}$'),
  secret_sha256 bytea       not null check (octet_length(secret_sha256) = 32),
  role          text        collate "C" not null check (role in ('service', 'operator')),
  label         text        not null,
  actor_id      uuid        not null unique,  -- who acted, in history
  created_at    timestamptz not null default now(),
  expires_at    timestamptz,
  revoked_at    timestamptz
);

grant usage on schema api to seatledger_app, seatledger_api;
grant select, insert, update (revoked_at) on api.keys to seatledger_app;
grant select on api.keys to seatledger_api;
