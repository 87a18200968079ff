"""relay, relay status, relay verify, relay skip."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adapters.cli.answer import Answer, moment, plural, table
from adapters.cli.call import OPERATOR, Call
from adapters.cli.failure import BadInput, Halted
from adapters.cli.groups import relays
from adapters.cli.progress import told_progress
from adapters.cli.verb import verb
from adapters.cli.working import ParentOption, end_with
from services.may import may

if TYPE_CHECKING:
    from adapters.postgres.relay_standing import RelayStanding

EditionOption = Annotated[
    int, typer.Option("--edition", min=1, metavar="N", help="Which edition of the topic; each has a relay of its own.")
]
WhyOption = Annotated[str, typer.Option("--why", metavar="TEXT", help="Kept for ever, beside the decision.")]
LONGEST_WHY = 500


@verb(relays, "relay", org=False, worker=True, alone=True)
def relay(call: Call, edition: EditionOption = 1, parent: ParentOption = None) -> Answer:
    """Publishes the ledger's events to Kafka, until SIGINT or SIGTERM; one leads, others stand by.

    Example: `SEATLEDGER_KAFKA_BOOTSTRAP=kafka:9092 seatledger relay`
    """
    from adapters.workers.relay import RelaySettings, run_as_process
    from adapters.workers.tell_prometheus import telling

    end_with(parent)
    house, asked = call.house, call.house.settings
    settings = RelaySettings(house.database_url, house.broker.bootstrap, house.topics(edition))
    with telling(settings.metrics.registry, asked.relay_metrics_host, asked.relay_metrics_port):
        ending = run_as_process(settings)
    return Answer({"ended": ending.name.lower()}, [], exit_code=int(ending))


@verb(relays, "status", org=False)
def status(call: Call, edition: EditionOption = 1) -> Answer:
    """Shows who leads, how far the topic is published, and whether it is set as it must be.

    Example: `seatledger relay status`
    """
    from adapters.postgres.follower import Source
    from adapters.postgres.forks import Forks
    from adapters.postgres.relay_standing import relay_standing

    house = call.house
    topics = house.topics(edition)
    standing = relay_standing(house.database_url, topics.events)
    with Forks(house.database_url) as records:
        ledger = records.ledger()
        skips = [skip for skip in records.skips() if skip.edition == edition]
        forks = records.forks()
    source = Source(ledger.ledger_id, ledger.epoch).name
    topic = topic_of(call, edition, source)
    shown = standing.copy
    position = topic["position"] if topic else (shown.position if shown else 0)
    lag = max(0, ledger.last_position - position)
    data = {
        "topic": topics.events,
        "source": source,
        "leader": standing.leader._asdict() if standing.leader else None,
        "last_error": standing.last_error._asdict() if standing.last_error else None,
        "last_position": ledger.last_position,
        "lag": lag,
        "copy": {"position": shown.position, "seen_at": shown.seen_at} if shown else None,
        "committed": topic,
        "skipped": [{"position": one.position, "why": one.why, "skipped_at": one.skipped_at} for one in skips],
        "forks": [{**fork._asdict(), "chain_hash": fork.chain_hash and fork.chain_hash.hex()} for fork in forks],
    }
    rows: list[tuple[object, ...]] = [("who leads", leader_of(standing)), ("source", source)]
    rows += [("committed in the topic", topic["position"] if topic else "no broker runs")]
    if topic and topic["problem"]:
        rows.append(("the topic", topic["problem"]))
    if shown:
        rows.append(("shown in the database", f"{shown.position} at {moment(shown.seen_at)}"))
    rows.append(("behind history", plural(lag, "position")))
    if standing.last_error:
        rows.append(("last error", f"{moment(standing.last_error.failed_at)}: {standing.last_error.why}"))
    rows += [("skipped", f"position {one.position}: {one.why}") for one in skips]
    rows += [("forked", f"from epoch {fork.from_epoch} to {fork.to_epoch}: {fork.why}") for fork in forks]
    found = topic["settings"] if topic else []
    settings = [
        (one["topic"], one["name"], one["found"], one["promised"], "" if one["holds"] else "NO") for one in found
    ]
    return Answer(
        data,
        [
            table(f"Relay of {topics.events}", ("what", ""), rows),
            table("Topics", ("topic", "setting", "is", "must be", "holds"), settings),
        ],
    )


def topic_of(call: Call, edition: int, source: str) -> dict[str, Any] | None:
    """What the broker says; None where none runs."""
    broker = call.house.running_broker
    if broker is None:
        return None
    from adapters.kafka.relay_position import PositionLost, read_position
    from adapters.kafka.topic_settings import settings_of
    from adapters.postgres.relay_session import RelaySession

    topics = call.house.topics(edition)
    with RelaySession(call.house.database_url, topics.events) as session:
        earlier = session.earlier_sources()
    problem = None
    try:
        position = read_position(broker.bootstrap, topics, source, earlier)
    except PositionLost as lost:
        position, problem = None, str(lost)
    return {
        "position": position.position if position else 0,
        "chain_hash": position.chain_hash if position else None,
        "problem": problem,
        "settings": [one._asdict() for one in settings_of(broker.bootstrap, topics)],
    }


def leader_of(standing: RelayStanding) -> str:
    leader = standing.leader
    if leader is None:
        return "nobody"
    where = f"process {leader.process_id} on {leader.host}" if leader.host else f"a session from {leader.address}"
    since = f" since {moment(leader.since)}" if leader.since else ""
    return f"{where}{since} ({leader.application_name}, PostgreSQL's process {leader.backend_pid})"


@verb(relays, "verify", role=OPERATOR, org=False)
def verify(call: Call, edition: EditionOption = 1) -> Answer:
    """Compares every message of the topic with the ledger; the exit code is 1 where they differ.

    The relay may go on meanwhile. Accepts a placeholder only where `relay skip` was said.

    Example: `seatledger relay verify`
    """
    from adapters.postgres.history_reads import HistoryReads
    from adapters.verification import verify_topic

    may(call.actor, "audit")
    house = call.house
    broker, topics = house.broker, house.topics(edition)
    with HistoryReads(house.database_url) as reads:
        size = reads.size().events
    with told_progress("compared", "events", size) as more, halts_are_told():
        found = list(verify_topic(house.database_url, broker.bootstrap, topics, more))
    data = {
        "verified": not found,
        "topic": topics.events,
        "broker": broker.kind,
        "events": size,
        "differences": [{"key": one.key, "what": one.what} for one in found],
    }
    if not found:
        return Answer(data, f"{topics.events} tells what the ledger tells")
    rows = [(one.key, one.what) for one in found]
    return Answer(data, [table(plural(len(found), "difference"), ("key", "what"), rows)], exit_code=1)


@verb(relays, "skip", role=OPERATOR, org=False)
def skip(
    call: Call,
    position: Annotated[int, typer.Argument(min=1, metavar="POSITION", help="As the halted relay names it.")],
    why: WhyOption,
    edition: EditionOption = 1,
) -> Answer:
    """Sends a placeholder for the event that the relay has halted at, from now on for ever.

    Only for an event that cannot go out, and only where nothing behind it went out: first run a version of seatledger
    that knows the event, if there is one. Consumers get its id, position and sequence, and not what happened.

    Example: `seatledger relay skip 4711 --why "recorded by a version that was taken back"`
    """
    from adapters.workers.relay_skip import skip as decide

    call.refuse_members()
    why = why_from(why)
    house = call.house
    topics = house.topics(edition)
    bootstrap = broker_for(call, edition)
    with halts_are_told():
        stuck, new = decide(house.database_url, bootstrap, topics, position, why=why, actor_id=call.actor.id)
    said = f"position {position} is skipped in {topics.events} ({stuck}); start the relay again"
    return Answer(
        {"position": position, "topic": topics.events, "new": new, "event": stuck},
        said if new else f"position {position} is skipped already",
    )


@contextmanager
def halts_are_told() -> Iterator[None]:
    """What halts a relay is no defect."""
    from adapters.kafka.topic import TopicUnreadable
    from adapters.workers.relay import HALTS
    from adapters.workers.relay_skip import SkipRefused

    try:
        yield
    except (*HALTS, SkipRefused, TopicUnreadable) as halt:
        raise Halted(str(halt)) from None


def broker_for(call: Call, edition: int) -> str | None:
    """Where the topic is; None where no relay ever published anything, and no broker runs."""
    from adapters.postgres.relay_standing import relay_standing

    house = call.house
    if house.running_broker is None and not relay_standing(house.database_url, house.topics(edition).events).copy:
        return None
    return house.broker.bootstrap


def why_from(words: str) -> str:
    """A reason that can be stored and read."""
    words = words.strip()
    if not (0 < len(words) <= LONGEST_WHY and words.isprintable()):
        raise BadInput(f"--why must have 1 to {LONGEST_WHY} characters, in one line")
    return words
