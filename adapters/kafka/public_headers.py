"""The headers of every message, as the contract says them: what they mean, and since which release they are sent."""

from __future__ import annotations

from typing import Any, NamedTuple

FIRST = "0.1.0"  # the release that the topic began with
TEXT = {"type": "string"}
UUID_TEXT = {"type": "string", "format": "uuid"}
TIME = {"type": "string", "format": "date-time"}
PADDED = {"type": "string", "pattern": "^[0-9]{19}$"}
COUNT = {"type": "string", "pattern": "^[0-9]+$"}
HASH = {"type": "string", "pattern": "^[0-9a-f]{64}$"}


class Header(NamedTuple):
    """One header of a message; all values are UTF-8 text."""

    name: str
    schema: dict[str, Any]
    meaning: str
    always: bool = True
    since: str = FIRST  # a header that is added names the release that first sends it: older messages stay right


HEADERS: tuple[Header, ...] = (
    Header("content-type", {"type": "string", "const": "application/json"}, "What the value is."),
    Header("ce_specversion", {"type": "string", "const": "1.0"}, "The version of CloudEvents."),
    Header(
        "ce_id", UUID_TEXT, "The id of the event: the same at every attempt, in every edition and in the HTTP feed."
    ),
    Header("ce_type", TEXT, "The name of the event, with its version. Go past the types that you do not know."),
    Header("ce_dataschema", TEXT, "The `$id` of the JSON Schema of the value."),
    Header("ce_source", TEXT, "The ledger and its epoch. Positions of two sources cannot be compared."),
    Header("ce_subject", UUID_TEXT, "The id of what it happened to: of the subscription, the invoice, the member …"),
    Header("ce_time", TIME, "When it was decided, in UTC."),
    Header("ce_sequence", PADDED, "Its number within the organization: 1, 2, 3, … without a gap; 19 digits."),
    Header("ce_position", PADDED, "Its place within the ledger: rising, with gaps; 19 digits."),
    Header("ce_organizationid", UUID_TEXT, "The organization: the same as the key."),
    Header("ce_chainhash", HASH, "The hash that chains the event to all before it in the organization's history."),
    Header("ce_effectiveat", TIME, "When it takes effect, in UTC."),
    Header("ce_actorrole", TEXT, "The role of whoever caused it. Roles may be added. Who it was does not go out."),
    Header("ce_commandid", UUID_TEXT, "The command that caused it; one command may cause several events."),
    Header("ce_commandindex", COUNT, "The place of the event among those of its command's save, from 0."),
    Header("ce_commandcount", COUNT, "How many events that save has; they stand one after the other."),
    Header("ce_correlationid", UUID_TEXT, "What belongs together across commands has the same."),
    Header("ce_causationid", UUID_TEXT, "The command that caused this command, where one did.", always=False),
    Header("ce_datasha256", HASH, "SHA-256 of the value, in hexadecimal digits."),
)
