#!/usr/bin/env bash
# Makes the secrets of compose.yaml under .seatledger/compose; keeps the ones that are there.
set -euo pipefail
cd "$(dirname "$0")/../.."

mkdir -p .seatledger
mkdir -p -m 0700 .seatledger/compose # the folder keeps others out; the files must be readable in the containers
cd .seatledger/compose

keep() { # keep NAME VALUE
  [ -s "$1" ] && return
  printf '%s' "$2" >"$1.new"
  chmod 0444 "$1.new"
  mv "$1.new" "$1"
}
random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

keep migration_password "$(random)"
keep app_password "$(random)"
keep seal_password "$(random)"
keep mrr_password "$(random)"
keep fingerprint_key "$(random)"
keep seal_key "$(random)"
keep migration_database_url "postgresql://seatledger_migration:$(cat migration_password)@postgres:5432/seatledger"
keep database_url "postgresql://seatledger_app_login:$(cat app_password)@postgres:5432/seatledger"
keep seal_database_url "postgresql://seatledger_seal_login:$(cat seal_password)@postgres:5432/seatledger"
keep mrr_database_url "postgresql://mrr:$(cat mrr_password)@postgres:5432/mrr"
echo "the secrets of compose.yaml are in .seatledger/compose; keep fingerprint_key for ever, and seal_key where nobody else comes to it"
