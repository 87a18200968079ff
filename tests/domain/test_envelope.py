"""What stands around an event in history: `domain.envelope`."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError
from pydantic_core import to_json

from domain.envelope import Envelope, RecordedEvent
from tests.examples import A_POOL_OF_THREE, CHRIS, POOL, PURCHASED_AT, an_id
from tests.scenario import MAPPER

AN_ENVELOPE = Envelope(
    actor_id=CHRIS,
    actor_role="purchaser",
    on_behalf_of=None,
    command="buy_subscription",
    command_id=an_id(41),
    step="",
    index=0,
    count=2,
    correlation_id=an_id(41),
    causation_id=None,
    occurred_at=PURCHASED_AT,
    effective_at=datetime(2025, 2, 28, tzinfo=UTC),
)


def test_the_envelope_is_read_from_the_exact_bytes_that_were_stored() -> None:
    [opened] = A_POOL_OF_THREE().pending_events
    stored = MAPPER.to_stored_event(opened)
    recorded = RecordedEvent(
        originator_id=POOL,
        originator_version=1,
        topic=stored.topic,
        state=stored.state,
        organization_id=an_id(42),
        organization_seq=1,
        position=7,
        recorded_at=1_738_315_800_000_000,
        metadata=to_json(AN_ENVELOPE),
        chain_hash=bytes(32),
    )
    assert recorded.envelope == AN_ENVELOPE
    assert MAPPER.to_domain_event(recorded) == opened


def test_an_envelope_with_an_unknown_field_or_role_is_refused() -> None:
    with pytest.raises(ValidationError):
        Envelope.model_validate({**AN_ENVELOPE.model_dump(), "actor_name": "Chris Green"})
    with pytest.raises(ValidationError):
        Envelope.model_validate({**AN_ENVELOPE.model_dump(), "actor_role": "owner"})
