-- How far each topic is published: a copy, for people and gauges. The position that counts is in the topic itself, in
-- the same transaction as the events; this may lag behind it, and the relay never reads it.

create schema relay;

create table relay.position (
  source     text        not null,  -- the ledger and its epoch, as messages name it
  topic      text        not null,
  position   bigint      not null,
  chain_hash bytea       not null,
  seen_at    timestamptz not null default now(),
  primary key (source, topic)
);

grant usage on schema relay to seatledger_app, seatledger_projector;
grant select on relay.position to seatledger_app;
grant select, insert, update on relay.position to seatledger_projector;  -- the role that the relay reads history in
