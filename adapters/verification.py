"""`audit verify`: everything that is derived from history is derived again and compared; history proves itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from adapters.postgres.history_reads import HistoryReads
from adapters.postgres.projector_rebuild import parity
from adapters.postgres.relay_session import RelaySession
from domain.kernel import PydanticJSON, PydanticMapper
from projections.audit.verify import (
    ChainCheck,
    Check,
    CommandCheck,
    Difference,
    FactCheck,
    PayloadCheck,
    check_snapshot,
    examine,
)
from projections.read_models import READ_MODELS

if TYPE_CHECKING:
    from uuid import UUID

    from adapters.kafka.topic_settings import Topics


def verify_history(reads: HistoryReads, progress: Callable[[int, int], None] = lambda *_: None) -> Iterator[Difference]:
    """Chains, payloads, receipts, personal facts and snapshots of every organization; `progress` gets done and all."""
    mapper = PydanticMapper(PydanticJSON())
    organizations = reads.organizations()
    for done, organization_id in enumerate(organizations):
        progress(done, len(organizations))
        yield from verify_organization(reads, organization_id, mapper)
    progress(len(organizations), len(organizations))


def verify_read_models(url: str) -> Iterator[Difference]:
    """Every read table against its rebuild from the beginning of history."""
    for projection in READ_MODELS:
        yield from parity(url, projection.name)


def verify_topic(url: str, bootstrap: str, topics: Topics) -> Iterator[Difference]:
    """The topic against the ledger, up to where the relay was when this began."""
    from adapters.kafka.topic_audit import compare_topic  # only here: the client takes longest to import

    with RelaySession(url, topics.events) as history:
        for found in compare_topic(bootstrap, topics, history):
            yield Difference(check="topic", key=f"position {found.position}", what=f"{found.what}: {found.detail}")


def verify_organization(reads: HistoryReads, organization_id: UUID, mapper: PydanticMapper) -> Iterator[Difference]:
    """One organization's history against itself."""
    checks: list[Check] = [
        ChainCheck(organization_id),
        PayloadCheck(mapper),
        CommandCheck(reads.commands(organization_id)),
        FactCheck(reads.facts(organization_id)),
    ]
    yield from examine(reads.events(organization_id), checks)
    for snapshot in reads.snapshots(organization_id):
        stream = reads.stream(organization_id, snapshot.originator_id)
        yield from check_snapshot(snapshot, stream, mapper)
