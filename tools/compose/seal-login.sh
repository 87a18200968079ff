#!/usr/bin/env bash
# Runs once in a new PostgreSQL: the login of the sealer. `seatledger migrate` gives it the one role that writes the tree.
set -euo pipefail
password=$(cat /run/secrets/seal_password)
psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<SQL
create role seatledger_seal_login login password '$password';
grant connect on database "$POSTGRES_DB" to seatledger_seal_login;
SQL
