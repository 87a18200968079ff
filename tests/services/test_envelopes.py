"""The envelopes of one save: the same but for their index, whatever stands in their texts."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.envelope import Envelope
from services.command import Actor, Command
from services.ledger import envelopes

AT = datetime(2025, 1, 31, 9, 30, tzinfo=UTC)
COMMAND = Command(organization_id=UUID(int=1), command_id=UUID(int=2), actor=Actor(id=UUID(int=3), role="admin"))


@pytest.mark.parametrize("step", ["", "capture", 'x"index":0,"count":9', '\\"index":0', '"index":0é'])
def test_each_event_has_its_own_index_in_one_common_envelope(step: str) -> None:
    stored = envelopes(COMMAND, step, 3, AT, AT)
    read = [Envelope.model_validate_json(metadata) for metadata in stored]
    assert [(envelope.index, envelope.count, envelope.step) for envelope in read] == [(n, 3, step) for n in range(3)]
    assert [envelope.model_dump_json().encode() for envelope in read] == stored
    assert len({envelope.model_copy(update={"index": 0}) for envelope in read}) == 1


def test_a_command_that_tells_nothing_has_no_envelope() -> None:
    assert envelopes(COMMAND, "", 0, AT, AT) == []
