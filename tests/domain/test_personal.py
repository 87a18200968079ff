"""History keeps a commitment to a personal fact, never the fact: `domain.personal`."""

from hashlib import sha256
from uuid import UUID

import pytest
from pydantic import ValidationError

from domain.personal import FactRef, PersonalFact
from tests.examples import CHRIS, CHRIS_GREEN, an_id


def test_a_commitment_stays_what_it_is() -> None:
    """A vector for ever: a value that was disclosed can be checked against history by anyone."""
    fact = PersonalFact(
        fact_id=UUID("00000000-0000-4000-8000-000000000022"),
        subject_id=CHRIS,
        purpose="display_name",
        value="Zoë \N{SNOWMAN}",
        salt="00" * 31 + "ff",
    )
    by_hand = sha256(
        b"seatledger.fact.1"
        + bytes(31)
        + b"\xff"
        + bytes.fromhex("00000000000040008000000000000022")
        + b"Zo\xc3\xab \xe2\x98\x83"
    ).hexdigest()
    assert fact.ref == FactRef(fact_id=fact.fact_id, commitment=by_hand)
    assert by_hand == "0b8633ee0ad8564abce97e06623ff6493b4c3ea0f67373e29db9a215ef67cbbd"


@pytest.mark.parametrize("other", [{"value": "chris green"}, {"salt": "1e" * 32}, {"fact_id": an_id(99)}])
def test_another_value_salt_or_id_has_another_commitment(other: dict[str, object]) -> None:
    assert CHRIS_GREEN.model_copy(update=other).ref.commitment != CHRIS_GREEN.ref.commitment


@pytest.mark.parametrize("other", [{"subject_id": an_id(99)}, {"purpose": "user_name"}])
def test_whom_it_is_about_and_why_stand_beside_it(other: dict[str, object]) -> None:
    assert CHRIS_GREEN.model_copy(update=other).ref == CHRIS_GREEN.ref


@pytest.mark.parametrize("salt", ["", "1f" * 31, "1F" * 32, "xy" * 32])
def test_a_salt_is_32_bytes_in_lower_case_hex(salt: str) -> None:
    with pytest.raises(ValidationError) as refused:
        PersonalFact(fact_id=an_id(1), subject_id=CHRIS, purpose="feedback", value="Too dear.", salt=salt)
    assert "Too dear." not in str(refused.value)
    assert not salt or salt not in str(refused.value)


def test_neither_value_nor_salt_is_printed() -> None:
    printed = f"{CHRIS_GREEN!r} {CHRIS_GREEN}"
    assert "Chris" not in printed
    assert CHRIS_GREEN.salt not in printed
