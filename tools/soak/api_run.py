"""The HTTP API is killed under load, again and again; then every answer is held against history."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from adapters.embedded.throw_away import throw_away_home, throw_away_postgres
from adapters.http.development_issuer import DevelopmentIssuer
from adapters.postgres.migrate import migrate
from tools.soak.api_checks import ApiChecks
from tools.soak.api_clients import Answer, Buyer, Client, Founder
from tools.soak.api_server import ApiProcess, api_process
from tools.soak.programs import KEY, complete, ledger_of, till_of
from tools.soak.run import Outcome
from tools.soak.wishes import carry_out, catalog

LOOK_S = 0.01
LATER_S = 0.8  # a kill comes at most so long after the server was seen at work
PATIENCE_S = 120.0
RATE = "1000000/minute"


@dataclass(frozen=True)
class ApiOptions:
    """How many clients, and how often the server dies; with the same seed the same wishes."""

    seed: int
    kills: int = 50
    clients: int = 8
    organizations: int = 3  # which all clients share


def run_api(options: ApiOptions, tell: Callable[[str], None] = lambda _: None) -> Outcome:
    """The whole run on a database of its own."""
    outcome = Outcome(options.seed, options.clients)
    chance = random.Random(f"{options.seed} api")  # noqa: S311 - not a secret
    started = time.monotonic()
    with throw_away_home() as folder, throw_away_postgres() as postgres:
        migrate(postgres.url)
        with ledger_of(postgres.url) as ledger, till_of(folder) as till:
            carry_out(ledger, till, catalog(chance))
        settings = settings_of(postgres.url, folder)
        log = folder / "api.log"
        with (
            api_process(settings, log) as api,
            httpx.Client(base_url=api.address, timeout=60) as http,
        ):
            founder = Founder(http, DevelopmentIssuer(folder))
            buyers = [founder.founds(f"soak-{number}", chance) for number in range(options.organizations)]
            answers = under_load(api, buyers, options, outcome, tell)
            outcome.seconds = round(time.monotonic() - started, 1)
            completed = complete(postgres.url, folder)
            outcome.counts = counts_of(answers) | {"completed_by_the_run": completed}
            tell(f"{len(answers):,} answers, {options.kills} kills; now the checks")
            for check in ApiChecks(postgres.url, folder, http, answers, founder.command_ids).all():
                outcome.checks.append(check)
                tell(f"{'stands' if not check.found else 'FOUND '}  {check.name} ({check.looked_at:,})")
        if defects := [line for line in log.read_text(errors="replace").splitlines() if "defect" in line]:
            outcome.findings.append(f"{len(defects)} defects were logged, the first: {defects[0]}")
    return outcome


def settings_of(url: str, home: Any) -> dict[str, Any]:
    return {
        "database_url": url,
        "fingerprint_key": KEY.hex(),
        "home": home,
        "development": True,
        "api_rate_per_key": RATE,
        "api_rate_per_organization": RATE,
    }


def under_load(
    api: ApiProcess, buyers: list[Buyer], options: ApiOptions, outcome: Outcome, tell: Callable[[str], None]
) -> list[Answer]:
    """Clients that never stop asking, and a server that dies in the middle of it."""
    stop = threading.Event()
    seeds = (f"{options.seed} client {number}" for number in range(options.clients))
    clients = [Client(api.address, buyers, random.Random(seed), stop) for seed in seeds]  # noqa: S311 - not a secret
    threads = [threading.Thread(target=client.run) for client in clients]
    chance = random.Random(f"{options.seed} kills")  # noqa: S311 - not a secret
    for thread in threads:
        thread.start()
    try:
        for number in range(options.kills):
            wait_for_work(clients)
            time.sleep(chance.random() * LATER_S)
            api.kill()
            outcome.kills["API"] = number + 1
            api.start()
            tell(f"killed the API ({number + 1} of {options.kills})")
        wait_for_work(clients)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    outcome.findings += [finding for client in clients for finding in client.findings]
    return [answer for client in clients for answer in client.answers]


def wait_for_work(clients: list[Client]) -> None:
    """Until every second client has got an answer, so that nobody is killed before it works."""
    before = [len(client.answers) for client in clients]
    deadline = time.monotonic() + PATIENCE_S
    while 2 * sum(len(one.answers) > had for one, had in zip(clients, before, strict=True)) < len(clients):
        if time.monotonic() > deadline or any(client.findings for client in clients):
            raise TimeoutError("the clients do not get on; see what they found")
        time.sleep(LOOK_S)


def counts_of(answers: list[Answer]) -> dict[str, int]:
    done = [answer for answer in answers if answer.done]
    kinds = Counter(f"done_{answer.call.kind}" for answer in done)
    return {
        "answers": len(answers),
        "acknowledged": len(done),
        "refused": len(answers) - len(done),
        "sent_again": sum(answer.sent > 1 for answer in answers),
        "carried_out_before_their_answer_was_lost": sum(answer.replayed for answer in done),
        **dict(sorted(kinds.items())),
    }
