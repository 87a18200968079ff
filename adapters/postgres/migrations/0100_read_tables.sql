-- Read tables: whatever is in this schema can be built again from history. The tables themselves are made by the
-- projector, one set for each build; here is what says which builds there are, and how far each has come.

create schema projections;

create table projections.builds (
  projection text    collate "C" not null,
  build      integer not null check (build > 0),
  version    integer not null,  -- of the projection's code
  -- building: becomes live when it has caught up. live: what queries follow, at most one for each projection.
  -- retired: dropped as soon as nobody folds or reads it. scratch: for a comparison, or to become live after one.
  state      text    collate "C" not null check (state in ('building', 'live', 'retired', 'scratch')),
  position   bigint  not null default 0,  -- of the last event handled; moves in the transaction that writes the rows
  tables     text[]  not null,  -- the names of its tables in this schema
  created_at timestamptz not null default now(),
  primary key (projection, build)
) with (fillfactor = 50);
create unique index builds_live on projections.builds (projection) where state = 'live';

grant usage on schema projections to seatledger_app, seatledger_projector;
grant create on schema projections to seatledger_projector;
grant select on projections.builds to seatledger_app;
grant select, insert, update, delete on projections.builds to seatledger_projector;
