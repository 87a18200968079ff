-- Forgetting: personal facts are deleted by these functions alone, and the ledger knows how far it follows the list of
-- erasures that is kept outside of it.

-- Who erases calls it in the transaction that tells so; who replays the list after a restore calls it alone.
create function ledger.erase_facts(organization uuid, facts uuid[]) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  erased integer;
begin
  delete from ledger.personal_facts f where f.organization_id = organization and f.fact_id = any (facts);
  get diagnostics erased = row_count;
  return erased;
end $$;

create function ledger.erase_facts_within(organization uuid, facts uuid[]) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if organization is distinct from ledger.walled_organization() then
    raise exception using errcode = 'insufficient_privilege',
      message = 'the facts are of another organization than the request may see';
  end if;
  return ledger.erase_facts(organization, facts);
end $$;

-- The last line of the list that the ledger follows. A backup brings back an older one, by which the gap is seen.
create table ledger.erasure_list (
  only_row boolean primary key default true check (only_row),
  line     bigint  not null default 0 check (line >= 0),
  hash     bytea   not null default ''
);
insert into ledger.erasure_list default values;

create function ledger.follow_erasure_list(list_line bigint, list_hash bytea) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  update ledger.erasure_list set line = list_line, hash = list_hash;
$$;

-- Waits for whoever is appending to an organization, and says whether a step of a command is recorded there.
create function ledger.is_settled_as_recorded(organization uuid, command uuid, command_step text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform pg_advisory_xact_lock(uuid_hash_extended(organization, 0));
  return exists (
    select from ledger.commands c
     where c.organization_id = organization and c.command_id = command and c.step = command_step);
end $$;

grant select on ledger.erasure_list to seatledger_app;
grant execute on function ledger.erase_facts, ledger.follow_erasure_list, ledger.is_settled_as_recorded to seatledger_app;
grant execute on function ledger.erase_facts_within to seatledger_api;
grant maintain on ledger.personal_facts to seatledger_app;  -- VACUUM after an erasure
