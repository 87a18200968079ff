-- The tree of the ledger: hashes of settled events, numbered without a gap by the sealer alone, and what it signed.
--
-- It tells nothing of an event, and everybody may read it. Whoever owns the database may change it too: what proves is
-- the signed checkpoint that others keep. The role that writes is there before this runs.

create schema proof;

-- In the shape of C2SP's tlog-tiles: a tile of level t has up to 256 hashes, of whole subtrees of 256^t leaves each.
create table proof.tiles (
  level     smallint not null check (level between 0 and 7),
  number    bigint   not null check (number >= 0),
  hashes    bytea    not null check (octet_length(hashes) between 32 and 8192 and octet_length(hashes) % 32 = 0),
  positions bigint[] check ((level = 0) = (positions is not null)
                            and (level > 0 or cardinality(positions) = octet_length(hashes) / 32)),
  primary key (level, number)
);
alter table proof.tiles alter column hashes set storage external;  -- hashes do not compress; trying costs time
create index tiles_position on proof.tiles ((positions[1])) where level = 0;

create table proof.checkpoints (
  origin    text        collate "C" not null,  -- the ledger and its epoch
  size      bigint      not null check (size > 0),
  note      text        not null,              -- signed; with the time of the last look at a tree of this size
  sealed_at timestamptz not null,
  published boolean     not null default false,  -- this note is in the topic
  primary key (origin, size)
);
create index checkpoints_unpublished on proof.checkpoints (sealed_at) where not published;

-- Whoever sealed last, and what last ended a sealer: for people; nothing depends on it.
create table proof.sealers (
  only_row    boolean     primary key default true check (only_row),
  backend_pid integer     not null,  -- of the session that holds, or held, the lock
  host        text        not null,
  process_id  integer     not null,
  seals_since timestamptz not null default now(),
  failed_at   timestamptz,
  ending      text,
  why         text
);

create policy sealed on ledger.events for select to seatledger_sealer using (true);
grant usage on schema ledger to seatledger_sealer;
grant select on ledger.events, ledger.source, ledger.forks, ledger.migrations to seatledger_sealer;
grant select on sequence ledger.position to seatledger_sealer;  -- last_value, not nextval
grant usage on schema proof to seatledger_sealer, seatledger_app, seatledger_projector, seatledger_api;
grant select on proof.tiles, proof.checkpoints to seatledger_sealer, seatledger_app, seatledger_projector, seatledger_api;
grant insert, update on proof.tiles, proof.checkpoints to seatledger_sealer;
grant select on proof.sealers to seatledger_app;
grant select, insert, update on proof.sealers to seatledger_sealer;
