"""A PostgreSQL as compose.yaml's image makes it at its first start: its logins, with passwords that are asked for."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from adapters.embedded.account import unprivileged_account
from adapters.embedded.postgres import EmbeddedPostgres
from adapters.embedded.postgres_binaries import postgres_binaries
from tests.system.composed import COMPOSE, ROOT, SERVICES

SCRIPTS = "/docker-entrypoint-initdb.d/"
LOGINS = ("seatledger_migration", "seatledger_app_login", "seatledger_seal_login", "mrr")


def made_secrets(folder: Path, server: EmbeddedPostgres) -> dict[str, str]:
    """Runs tools/compose/secrets.sh; each secret's path in a container, and its file here."""
    tools = folder / "checkout" / "tools" / "compose"
    tools.mkdir(parents=True)
    script = tools / "secrets.sh"
    script.write_bytes((ROOT / "tools" / "compose" / "secrets.sh").read_bytes())
    subprocess.run(["bash", str(script)], check=True, capture_output=True)
    files = {name: folder / "checkout" / secret["file"] for name, secret in COMPOSE["secrets"].items()}
    socket = quote(str(server._socket()), safe="")
    for file in files.values():
        here = re.sub(r"@postgres:5432/(\w+)$", rf"@/\1?host={socket}", file.read_text(encoding="utf-8"))
        file.chmod(0o600)
        file.write_text(here, encoding="utf-8")
    return {f"/run/secrets/{name}": str(file) for name, file in files.items()}


def enter(server: EmbeddedPostgres, secrets: Mapping[str, str], folder: Path) -> None:
    """What the image's entrypoint does in a new database, then everybody needs a password."""
    told: dict[str, str] = SERVICES["postgres"]["environment"]
    user, database = told["POSTGRES_USER"], told["POSTGRES_DB"]
    password = Path(secrets[told["POSTGRES_PASSWORD_FILE"]]).read_text(encoding="utf-8")
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(
            SQL("CREATE ROLE {} SUPERUSER LOGIN PASSWORD {}").format(Identifier(user), Literal(password))
        )
        connection.execute(SQL("ALTER DATABASE {} OWNER TO {}").format(Identifier(database), Identifier(user)))
    volumes = [volume.split(":") for volume in SERVICES["postgres"]["volumes"]]
    for _, source in sorted((one[1], one[0]) for one in volumes if one[1].startswith(SCRIPTS)):
        words = (ROOT / source).read_text(encoding="utf-8")
        for place, file in secrets.items():
            words = words.replace(place, file)
        script = folder / Path(source).name
        script.write_text(words, encoding="utf-8")
        programs = postgres_binaries(unprivileged_account())
        where = {"PGHOST": str(server._socket()), "PATH": f"{programs}:/usr/bin:/bin"}
        subprocess.run(["bash", str(script)], check=True, capture_output=True, env={**told, **where})
    rules = server.folder / "data" / "pg_hba.conf"
    rules.write_text(
        f"local all {','.join(LOGINS)} scram-sha-256\n{rules.read_text(encoding='utf-8')}", encoding="utf-8"
    )
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("SELECT pg_reload_conf()")
