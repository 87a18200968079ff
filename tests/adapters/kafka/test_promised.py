"""Whatever is published keeps to the committed contract: key, headers and value, by an independent validator."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from jsonschema_rs import Draft202012Validator

from adapters.embedded.kafka import EmbeddedKafka
from adapters.embedded.postgres import EmbeddedPostgres
from adapters.kafka.cloud_event import message_of
from adapters.kafka.topic import TopicMessage
from adapters.postgres.directory import PersonalDirectory
from adapters.postgres.ledger import open_ledger
from adapters.postgres.migrate import migrate
from adapters.workers.relay import Ending
from services.cancel_subscription import CancelSubscription
from services.resize_licenses import ResizeLicenses
from services.schedule_licenses import ScheduleLicenses
from tests.adapters.kafka.conftest import Relayed, a_database
from tests.examples import PURCHASED_AT
from tests.history.test_recorded_histories import RECORDED, events_of
from tests.services.contoso import PAID_YEARLY, Clock, Contoso
from tests.services.on_sale import import_power_bi
from tools.contract.event_contract import DOCS

DOCUMENT = json.loads((DOCS / "asyncapi.json").read_text(encoding="utf-8"))
HEADERS = Draft202012Validator(DOCUMENT["components"]["schemas"]["headers"], validate_formats=True)
KEY = Draft202012Validator(DOCUMENT["components"]["schemas"]["key"], validate_formats=True)


@cache
def schema_of(name: str) -> tuple[dict[str, Any], Draft202012Validator]:
    """The committed schema of a type, by its name."""
    path = DOCS / f"{name.removeprefix('seatledger.')}.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    return schema, Draft202012Validator(schema, validate_formats=True)


def assert_as_promised(key: bytes, headers: dict[str, str], value: bytes) -> None:
    """Raises where a message is not what docs/events says; nothing may be in it that is not said there."""
    schema, validator = schema_of(headers["ce_type"])
    assert headers["ce_dataschema"] == schema["$id"]
    KEY.validate(key.decode())
    assert key.decode() == headers["ce_organizationid"]
    HEADERS.validate(headers)
    assert headers.keys() <= DOCUMENT["components"]["schemas"]["headers"]["properties"].keys()
    told = json.loads(value)
    validator.validate(told)
    assert_nothing_else(told, schema)


def assert_nothing_else(told: Any, schema: dict[str, Any]) -> None:
    """The schema is open for what later releases add; this release says all that it sends."""
    for choice in schema.get("anyOf", []):
        assert_nothing_else(told, choice)
    match told:
        case dict() if "properties" in schema:
            assert told.keys() <= schema["properties"].keys()
            for name, field in told.items():
                assert_nothing_else(field, schema["properties"][name])
        case list() if "items" in schema:
            for one in told:
                assert_nothing_else(one, schema["items"])
        case str() if schema.get("format") == "date-time":
            assert told.endswith("Z"), "moments are told in UTC"
        case str() if "x-extensible-enum" in schema:
            assert told in schema["x-extensible-enum"]
        case _:
            pass


def types_in(messages: Iterable[TopicMessage]) -> set[str]:
    return {message.type.removeprefix("seatledger.").removesuffix(".v1") for message in messages}


def test_a_life_of_purchases_on_apache_kafka_is_as_promised(postgres: EmbeddedPostgres, kafka: EmbeddedKafka) -> None:
    clock = Clock(PURCHASED_AT)
    with a_database(postgres) as url:
        migrate(url)
        ledger = open_ledger(url, pool_size=3, clock=clock, fingerprint_key=b"of the tests")
        here = Relayed(url, kafka.bootstrap)
        try:
            import_power_bi(ledger)
            directory = PersonalDirectory(ledger.recorder.datastore)  # type: ignore[attr-defined]
            lives(Contoso.founded(ledger, directory, clock))
            assert here.relay() is Ending.STOPPED
            here.assert_topic_is_the_ledger()
            messages = here.messages()
        finally:
            here.close()
            ledger.close()
    for message in messages:
        assert message.key
        assert_as_promised(message.key, dict(message.headers), message.value)
    assert types_in(messages) >= {
        "invoice.collection_failed",
        "invoice.credit_note_issued",
        "invoice.invoice_written_off",
        "license_pool.license_assigned",
        "license_pool.licenses_resized",
        "member.member_removed",
        "offer.offer_published",
        "opaque",
        "payment.refund_requested",
        "subscription.license_change_scheduled",
        "subscription.subscription_cancelled",
        "subscription.subscription_disabled",
        "subscription.subscription_renewed",
    }


def lives(contoso: Contoso) -> None:
    """Buys, grows, shrinks, assigns, renews, cancels, and does not pay in the end."""
    bought = contoso.buys(licenses=3)
    for total in (6, 5):
        contoso.run(contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=total))
    (guest,) = contoso.generates(1)
    contoso.assigns(bought, guest)
    contoso.removes(guest)
    contoso.run(contoso.command(ScheduleLicenses, contoso.buyer, subscription_id=bought, total=4))
    yearly = contoso.buys(licenses=1, terms=PAID_YEARLY)
    contoso.clock.now = datetime(2025, 2, 2, 9, tzinfo=UTC)
    wish = {"subscription_id": yearly, "when": "now", "reason": "too_expensive"}
    contoso.run(contoso.command(CancelSubscription, contoso.buyer, **wish))
    contoso.advances(date(2025, 2, 28))
    contoso.changes_card("tok_declined_insufficient_funds")
    contoso.advances(date(2025, 3, 31))
    contoso.advances(date(2025, 4, 30))


def test_every_event_of_a_recorded_history_is_as_promised() -> None:
    for path in RECORDED:
        for event in events_of(path):
            message = message_of(event, "/seatledger/recorded/1")
            headers = {name: value.decode() for name, value in message.headers}
            if not event.chain_hash:  # which the file does not hold
                headers["ce_chainhash"] = "0" * 64
            assert_as_promised(message.key, headers, message.value)
