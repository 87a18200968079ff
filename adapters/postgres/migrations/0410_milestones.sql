-- Milestones: what aggregates were at some of their versions. A question about a moment of the past starts from one
-- instead of from the first event. Like snapshots they are copies, which may be thrown away, and which the audit compares.

create table ledger.milestones (
  organization_id uuid   not null,
  originator_id   uuid   not null,
  version         bigint not null,
  topic           text   not null,  -- of the aggregate
  shape           bytea  not null,
  state           bytea  not null,
  occurred_at     bigint not null,  -- microseconds since 1970, of the version's event; so are the next three
  position        bigint not null,
  recorded_at     bigint not null,
  effective_from  bigint not null,  -- no event after `since`, and up to the version, takes effect before it
  since           bigint not null,  -- the version of the milestone in front, as of when this one was kept
  primary key (organization_id, originator_id, version)
);
alter table ledger.milestones alter column state set storage external;

-- When an event takes effect; 0, which is before everything, where its envelope cannot be read.
create function ledger.effective_at(metadata bytea) returns bigint language plpgsql immutable as $$
begin
  return coalesce((extract(epoch from
    (convert_from(metadata, 'UTF8')::jsonb ->> 'effective_at')::timestamptz) * 1000000)::bigint, 0);
exception when others then
  return 0;
end $$;

-- One for 250 versions at most, and never more bytes of them than the events between have at a KiB each: a pool with
-- very many holders keeps fewer. Two at once write the same row. One of the same version may be of another shape.
-- Behind a load nobody waits for a look at a long history: of more than 2,000 versions it says that any may count early.
create function ledger.keep_milestone(
  organization uuid, originator uuid, milestone_version bigint, milestone_topic text, milestone_shape bytea,
  milestone_state bytea, milestone_occurred_at bigint
) returns void language sql security definer set search_path = pg_catalog, pg_temp as $$
  with front as (
    select coalesce(max(m.version), 0) as version from ledger.milestones m
     where m.organization_id = organization and m.originator_id = originator and m.version < milestone_version)
  insert into ledger.milestones as kept
  select organization, originator, milestone_version, milestone_topic, milestone_shape, milestone_state,
         milestone_occurred_at, e.position, e.recorded_at,
         case when milestone_version - front.version > 2000 then 0 else (
           select min(ledger.effective_at(told.metadata)) from ledger.events told
            where told.organization_id = organization and told.originator_id = originator
              and told.originator_version > front.version and told.originator_version <= milestone_version) end,
         front.version
    from ledger.events e, front
   where e.organization_id = organization and e.originator_id = originator and e.originator_version = milestone_version
     and milestone_version - front.version >= greatest(250, octet_length(milestone_state) / 1024)
  on conflict (organization_id, originator_id, version) do update
     set topic = excluded.topic, shape = excluded.shape, state = excluded.state, occurred_at = excluded.occurred_at
   where kept.shape <> excluded.shape;
$$;

create function ledger.keep_milestone_within(
  organization uuid, originator uuid, milestone_version bigint, milestone_topic text, milestone_shape bytea,
  milestone_state bytea, milestone_occurred_at bigint
) returns void language sql security definer set search_path = pg_catalog, pg_temp as $$
  select ledger.keep_milestone(organization, originator, milestone_version, milestone_topic, milestone_shape,
    milestone_state, milestone_occurred_at)
   where organization = ledger.walled_organization();
$$;

-- What a load keeps for the next one stays as a milestone when a newer one takes its place.
create function ledger.leave_milestone() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform ledger.keep_milestone(new.organization_id, new.originator_id, new.version, new.topic, new.shape, new.state,
    new.occurred_at);
  return null;
end $$;
create trigger leaves_a_milestone after insert or update on ledger.snapshots
  for each row execute function ledger.leave_milestone();

-- Behind the wall like snapshots.
alter table ledger.milestones enable row level security;
create policy everything on ledger.milestones for select to seatledger_app using (true);
create policy wall on ledger.milestones for select to seatledger_api using (
  (organization_id = any (array[(select ledger.walled_organization()), '46717a82-6117-5ee5-bf68-c3530de06d4a'])) is true);

grant select on ledger.milestones to seatledger_app, seatledger_api;
grant execute on function ledger.keep_milestone to seatledger_app;
grant execute on function ledger.keep_milestone_within to seatledger_api;
