"""The HTTP API as a process of its own is asked whatever its document permits, and more; then history is verified."""

from __future__ import annotations

from collections.abc import Callable

import httpx
from pydantic import SecretStr

from adapters.cli.app import run
from adapters.composition import House
from adapters.embedded.throw_away import throw_away_home, throw_away_postgres
from adapters.http.development_issuer import DevelopmentIssuer
from adapters.postgres.migrate import migrate
from adapters.settings import Settings
from tools.soak.api_run import settings_of
from tools.soak.api_server import api_process
from tools.soak.programs import KEY
from tools.soak.schema import SchemaOptions, SchemaOutcome, run_schema


def run_schema_on_servers(options: SchemaOptions, tell: Callable[[str], None] = lambda _: None) -> SchemaOutcome:
    """The whole run on a database of its own, as every kind of caller."""
    from tests.adapters.http.conftest import Api  # noqa: PLC0415 - tests are not there where only the product is
    from tests.adapters.proof.sealing import folder_at, sealing  # noqa: PLC0415 - likewise of the tests
    from tests.system.http.asking import askings  # noqa: PLC0415
    from tests.system.http.prepared import prepared  # noqa: PLC0415

    with throw_away_home() as folder, throw_away_postgres() as postgres:
        migrate(postgres.url)
        settings = Settings(
            database_url=SecretStr(postgres.url), fingerprint_key=SecretStr(KEY.hex()), home=folder, development=True
        )
        run(["catalog", "import", "--json"], settings)
        log = folder / "api.log"
        with (
            sealing(postgres.url, folder_at(folder / "seal")),
            api_process(settings_of(postgres.url, folder), log) as api,
            httpx.Client(base_url=api.address, timeout=60) as http,
        ):
            operator = Api(http, DevelopmentIssuer(folder)).of_the_house("operator")
            outcome = run_schema(options, lambda: askings(api.address, prepared(operator)), tell)
        lines = log.read_text(errors="replace").splitlines()
        if defects := [line for line in lines if "defect" in line or "Traceback" in line]:
            outcome.findings.append(f"{len(defects)} defects were logged, the first: {defects[0]}")
        with House(settings) as house:
            outcome.findings += [
                f"history: {found}" for found in house.verify(topic=False, told=lambda _: None).differences
            ]
    return outcome
