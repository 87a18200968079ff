"""How large a message can be: what the ledger stores goes through the producer, and what is larger is not stored."""

from __future__ import annotations

import json
from typing import Any, cast
from uuid import uuid4

from kafka import KafkaProducer

from adapters.kafka.cloud_event import Message, message_of
from adapters.kafka.relay import PRODUCER
from adapters.workers.relay import Ending
from domain.invoice import Invoice
from domain.kernel import PydanticJSON, PydanticMapper
from services.ledger import EVENT_BYTES, refuse_large
from tests.adapters.kafka.conftest import Relayed, Writing
from tests.adapters.kafka.test_public_events import recorded
from tests.examples import PURCHASED_AT, a_line, issuing
from tests.services.contoso import OPERATOR

TAKEN_BY_THE_PRODUCER = KafkaProducer.DEFAULT_CONFIG["max_request_size"]
TAKEN_BY_A_BROKER = 1_048_588  # `message.max.bytes`, unless it is set otherwise; of a batch, which one message can be
FRAMING = 1_024  # of a batch of one record, amply


def an_invoice_of(lines: int) -> Invoice:
    """Of renewals, 4,200.00 each, as large as they come with ordinary names."""
    line = a_line(300, kind="renewal", batch=120)
    return issuing(
        *(line.model_copy(update={"number": number, "subscription_id": uuid4()}) for number in range(1, lines + 1))
    )()


def the_largest_invoice() -> Invoice:
    lines = EVENT_BYTES * 500 // len(stored(an_invoice_of(500)))
    while len(stored(an_invoice_of(lines))) > EVENT_BYTES:
        lines -= 1
    return an_invoice_of(lines)


def stored(invoice: Invoice) -> bytes:
    return PydanticMapper(PydanticJSON()).to_stored_event(cast("Any", invoice.pending_events[0])).state


def size_of(message: Message) -> int:
    headers = sum(len(name.encode()) + len(value) + 2 for name, value in message.headers)
    return len(message.key) + len(message.value) + headers + FRAMING


def sent(invoice: Invoice) -> Message:
    return message_of(recorded("seatledger.Invoice.InvoiceIssued", json.loads(stored(invoice))), "/seatledger/x/1")


def test_an_invoice_of_500_lines_is_stored_and_goes_out_with_all_of_them() -> None:
    invoice = an_invoice_of(500)
    refuse_large(1, len(stored(invoice)))
    told = json.loads(sent(invoice).value)
    assert len(told["lines"]) == 500
    assert sum(line["amount_minor"] for line in told["lines"]) == told["net_minor"] == 500 * 420_000


def test_the_largest_event_that_the_ledger_takes_fits_into_a_message_four_times_over() -> None:
    largest = the_largest_invoice()
    assert EVENT_BYTES - 1_000 < len(stored(largest)) <= EVENT_BYTES
    assert size_of(sent(largest)) < min(TAKEN_BY_THE_PRODUCER, TAKEN_BY_A_BROKER) // 3


def test_it_goes_through_the_relay_and_the_topic_is_compared_with_the_ledger(here: Relayed) -> None:
    largest = the_largest_invoice()
    writing = Writing(organization_id=uuid4(), command_id=uuid4(), actor=OPERATOR)
    here.ledger.save(largest, because=writing, at=PURCHASED_AT)
    assert here.relay() is Ending.STOPPED
    here.assert_topic_is_the_ledger()
    [message] = here.messages()
    assert len(json.loads(message.value)["lines"]) == len(largest.lines)


def test_the_relay_leaves_the_size_of_a_message_to_these_limits() -> None:
    assert "max_request_size" not in PRODUCER
