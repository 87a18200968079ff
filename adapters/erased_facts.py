"""Replay knows personal facts by commitments: those that were erased since are marked, and no value is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from domain.personal import FactRef, refs_within
from projections.audit.replay import HistoryEntry, StateAt
from services.bill_to_shown import ERASED
from services.ports import Directory


def history_marked(directory: Directory, organization_id: UUID, entries: Sequence[HistoryEntry]) -> list[HistoryEntry]:
    """The entries, with `[erased]` beside each commitment to a fact that is gone."""
    gone = erased(directory, organization_id, [one.facts for one in entries])
    return [one.model_copy(update={"facts": marked(one.facts, gone)}) for one in entries] if gone else list(entries)


def state_marked(directory: Directory, organization_id: UUID, found: StateAt) -> StateAt:
    """The state, likewise: as it is known now, whenever it was."""
    gone = erased(directory, organization_id, [found.state])
    return found.model_copy(update={"state": marked(found.state, gone)}) if gone else found


def erased(directory: Directory, organization_id: UUID, payloads: Sequence[dict[str, Any]]) -> set[str]:
    """The ids of the facts in these payloads that are not there any more."""
    ids = [ref.fact_id for payload in payloads for _, ref in refs_within(payload)]
    there = directory.facts(organization_id, ids)
    return {str(fact_id) for fact_id in ids if fact_id not in there}


def marked(payload: Any, gone: set[str]) -> Any:
    if isinstance(payload, dict):
        if payload.keys() == FactRef.model_fields.keys():
            return {**payload, "value": ERASED} if payload["fact_id"] in gone else payload
        return {name: marked(value, gone) for name, value in payload.items()}
    return [marked(value, gone) for value in payload] if isinstance(payload, list) else payload
