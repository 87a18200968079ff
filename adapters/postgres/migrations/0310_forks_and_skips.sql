-- What operators decide when the topic and history cannot both be right, and what is known of relays: all of it stays.

-- A restore lost events: from here on this is another source, whose positions are compared with no others.
create table ledger.forks (
  from_epoch    integer     primary key,
  to_epoch      integer     not null unique check (to_epoch > from_epoch),
  last_position bigint      not null,  -- of the event that history ended with at the fork; 0: it had none
  chain_hash    bytea,                 -- of that event
  why           text        not null check (char_length(why) between 1 and 500),
  forked_at     timestamptz not null default now(),
  actor_id      uuid        not null,
  login         text        not null default session_user
);
create trigger only_grows before update or delete or truncate on ledger.forks execute function ledger.refuse();
alter table ledger.forks enable always trigger only_grows;

-- `expected` is the epoch that the operator saw: sent twice, it forks once. `next` is above every epoch that a topic knows.
create function ledger.fork(expected integer, next integer, fork_why text, fork_actor_id uuid) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update ledger.source set epoch = next where epoch = expected and next > expected;
  if not found then
    raise exception using errcode = 'integrity_constraint_violation', constraint = 'expected_epoch',
      message = format('the ledger is not in epoch %s any more, or %s does not come after it', expected, next);
  end if;
  insert into ledger.forks (from_epoch, to_epoch, last_position, chain_hash, why, actor_id)
  select expected, next, coalesce(last.position, 0), last.chain_hash, fork_why, fork_actor_id
    from (select) as one left join lateral (
      select e.position, e.chain_hash from ledger.events e order by e.position desc limit 1) as last on true;
end $$;

-- An event that cannot go out, and for which a placeholder goes out in an edition of the topic, for ever.
create table relay.skips (
  edition    integer     not null check (edition > 0),
  position   bigint      not null,
  chain_hash bytea       not null,
  why        text        not null check (char_length(why) between 1 and 500),
  skipped_at timestamptz not null default now(),
  actor_id   uuid        not null,
  login      text        not null default session_user,
  primary key (edition, position)
);
create trigger only_grows before update or delete or truncate on relay.skips execute function ledger.refuse();
alter table relay.skips enable always trigger only_grows;

-- Whoever led last, and the last error that ended a leader: for people; nothing depends on it.
create table relay.leaders (
  topic       text        primary key,
  backend_pid integer     not null,  -- of the session that holds, or held, the lock
  host        text        not null,
  process_id  integer     not null,
  leads_since timestamptz not null default now(),
  failed_at   timestamptz,
  ending      text,
  why         text
);

grant select on ledger.forks to seatledger_app, seatledger_projector;
grant execute on function ledger.fork to seatledger_app;
grant select on relay.skips, relay.leaders to seatledger_app, seatledger_projector;
grant insert (edition, position, chain_hash, why, actor_id) on relay.skips to seatledger_app;
grant insert, update on relay.leaders to seatledger_projector;
