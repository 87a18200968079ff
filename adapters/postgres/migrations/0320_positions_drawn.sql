-- A query of the API that asks for a position which was never drawn is refused at once instead of being waited for.
grant select on sequence ledger.position to seatledger_api;  -- last_value, not nextval
