#!/usr/bin/env bash
# Runs once in a new PostgreSQL: a database of the example's own, and a login that has nothing else.
set -euo pipefail
password=$(cat /run/secrets/mrr_password)
psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<SQL
create role mrr login password '$password';
create database mrr owner mrr;
revoke connect on database mrr from public;
revoke connect on database "$POSTGRES_DB" from public;
grant connect on database "$POSTGRES_DB" to seatledger_app_login;
SQL
