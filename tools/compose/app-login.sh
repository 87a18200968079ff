#!/usr/bin/env bash
# Runs once in a new PostgreSQL: the login of the services. `seatledger migrate` gives it the application's roles.
set -euo pipefail
password=$(cat /run/secrets/app_password)
psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<SQL
create role seatledger_app_login login password '$password';
SQL
