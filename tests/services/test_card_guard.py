"""No command takes card data, wherever it is put, and nobody is told what it was: `services.card_guard`."""

import importlib
import io
import pkgutil
import traceback
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

import services
from domain.refusals import CardDataNotAccepted, Refusal
from services.assign_licenses import AssignLicenses
from services.card_guard import DEEPEST, is_code_name, refuse_card_data, refuse_card_data_in_words
from services.command import Actor, Command
from services.import_members import ImportMembers, MemberRow

NUMBER, CODE = "4111 1111 1111 1111", "737"
BEN = Actor(id=UUID(int=7), role="purchaser")

CODE_NAMES = ["cvc", "CVC", "cvv", "cvv2", "cvc2", "cid", "csc", "security_code", "securityCode", "security-code",
              "Security Code", "card_code", "cardCode", "card_cvc", "cvc_code", "card_verification_code", "cardCid",
              "cvn", "cvvNumber", "\N{FULLWIDTH LATIN SMALL LETTER C}vc"]  # fmt: skip
OTHER_NAMES = ["security_code_token", "securityCodeToken", "cvc_token", "cvc_check", "code", "reason_code", "country",
               "offer_id", "licenses", "client_id", "cidr", "zip_code", "", "c" * 100 + "vc"]  # fmt: skip


def kinds(base: type[Command] = Command) -> Iterator[type[Command]]:
    """Every command that services know."""
    for kind in base.__subclasses__():
        yield kind
        yield from kinds(kind)


for module in pkgutil.iter_modules(services.__path__):
    importlib.import_module(f"services.{module.name}")

KINDS = sorted({kind for kind in kinds() if kind.__module__.startswith("services.")}, key=lambda kind: kind.__name__)


def refused(kind: type[Command], **fields: Any) -> CardDataNotAccepted:
    with pytest.raises(CardDataNotAccepted) as caught:
        kind(organization_id=UUID(int=1), command_id=uuid4(), actor=BEN, **fields)
    return caught.value


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_command_takes_a_card_number_or_a_security_code(kind: type[Command]) -> None:
    for name in {*kind.model_fields, "anything"} - {"organization_id", "command_id", "actor"}:
        for value in (NUMBER, int(NUMBER.replace(" ", "")), [NUMBER], {"inner": {"text": f"card {NUMBER}"}}):
            refusal = refused(kind, **{name: value})
            assert refusal.facts["field"].startswith(f"/{name}")
    assert refused(kind, security_code=CODE).facts == {"field": "/security_code"}
    assert refused(kind, method={"cvc": 123}).facts == {"field": "/method/cvc"}


@pytest.mark.parametrize("name", ["organization_id", "command_id", "actor"])
def test_the_fields_of_every_command_are_looked_at_as_well(name: str) -> None:
    with pytest.raises(CardDataNotAccepted):
        AssignLicenses.model_validate({name: NUMBER})


def test_json_is_refused_like_fields() -> None:
    with pytest.raises(CardDataNotAccepted):
        AssignLicenses.model_validate_json(f'{{"user_ids": ["{NUMBER}"]}}')


def test_rows_of_a_directory_are_looked_through() -> None:
    row = MemberRow(user_name="ben@contoso.example", display_name=f"Ben {NUMBER}")
    refusal = refused(ImportMembers, rows=(MemberRow(user_name="chris@contoso.example"), row))
    assert refusal.facts == {"field": "/rows/1/display_name"}
    raw = refused(ImportMembers, rows=[{"user_name": "ben@contoso.example", "cvv": CODE}])
    assert raw.facts == {"field": "/rows/0/cvv"}


def test_the_refusal_says_where_and_what_to_do_and_never_what() -> None:
    with pytest.raises(Refusal) as caught:
        AssignLicenses(
            organization_id=UUID(int=1), command_id=uuid4(), actor=BEN, subscription_id=UUID(int=2), user_ids=[NUMBER],  # type: ignore[arg-type]
        )  # fmt: skip
    refusal = caught.value
    assert (type(refusal), refusal.code) == (CardDataNotAccepted, "card_data_not_accepted")
    assert "/user_ids/0" in str(refusal)
    assert "provider's token" in str(refusal)
    log = io.StringIO()
    logger = structlog.wrap_logger(structlog.PrintLogger(log), processors=[structlog.processors.JSONRenderer()])
    logger.error("refused", error=repr(refusal), facts=dict(refusal.facts))
    traced = traceback.format_exception(refusal)
    ours = [line for line in "".join(traced).splitlines() if "test_card_guard.py" not in line]
    for text in (str(refusal), repr(refusal), repr(refusal.facts), log.getvalue(), "\n".join(ours)):
        assert "4111" not in text
    assert refusal.__cause__ is refusal.__context__ is None


def test_a_name_that_is_a_card_number_is_not_told_either() -> None:
    refusal = refused(AssignLicenses, method={NUMBER: "x"})
    assert refusal.facts == {"field": "/method"}


def test_names_are_told_as_json_pointers() -> None:
    assert refused(AssignLicenses, method={"a/b~c": NUMBER}).facts == {"field": "/method/a~1b~0c"}


@pytest.mark.parametrize("name", CODE_NAMES)
@pytest.mark.parametrize("value", [CODE, "0042", " 123 ", 123, 42, ["123"], SecretStr("123"), b"123", Decimal(123)])
def test_a_security_code_is_known_by_its_name(name: str, value: object) -> None:
    with pytest.raises(CardDataNotAccepted):
        refuse_card_data({"method": {name: value}})


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_other_names_are_none(name: str) -> None:
    assert not is_code_name(name)
    refuse_card_data({name: CODE})


@pytest.mark.parametrize("value", ["tok_123", "12", "12345", "", None, True, -1, 12_345, 1.5e300, {}, "pass", object()])
def test_what_is_no_code_may_stand_under_such_a_name(value: object) -> None:
    refuse_card_data({"cvc": value})


@pytest.mark.parametrize("value", [SecretStr(NUMBER), NUMBER.encode(), 4111111111111111, Decimal(4111111111111111)])
def test_a_number_is_found_in_every_kind_of_value(value: object) -> None:
    with pytest.raises(CardDataNotAccepted):
        refuse_card_data({"feedback": value})


scalars = st.none() | st.booleans() | st.integers(-(10**11), 10**11) | st.uuids() | st.text(max_size=12)
names = st.text(max_size=2)


@given(st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3)))
def test_ordinary_input_passes(given_input: object) -> None:
    refuse_card_data(given_input)


def test_what_is_nested_too_deeply_is_refused_and_not_followed() -> None:
    nested: Any = NUMBER
    for _ in range(DEEPEST - 1):
        nested = [nested]
    with pytest.raises(CardDataNotAccepted):
        refuse_card_data({"field": nested})
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(ValueError, match="nested deeper than"):
        refuse_card_data({"field": nested})


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (["buy", NUMBER], "/arguments/1"),
        (["cancel", "x", f"--feedback=my card is {NUMBER}"], "/arguments/2"),
        (["cancel", "x", "--feedback", "4111", "1111", "1111", "1111"], "/arguments"),
        (["pay", "--cvc", CODE], "/arguments/1"),
        (["pay", f"--security-code={CODE}"], "/arguments/1"),
        ([f"--{NUMBER}"], "/arguments/0"),
    ],
)
def test_the_words_of_a_command_line_are_looked_through(words: list[str], place: str) -> None:
    with pytest.raises(CardDataNotAccepted) as caught:
        refuse_card_data_in_words(words)
    assert caught.value.facts == {"field": place}


@pytest.mark.parametrize(
    "words",
    [
        ["resize", str(UUID(int=3)), "105", "--expected-total", "100"],
        ["buy", "Power BI Pro", "-n", "123"],
        ["pay", "--security-code-token", "tok_123"],
        ["pay", "--cvc"],
        ["assign", *(str(UUID(int=number)) for number in range(20))],
        [],
    ],
)
def test_ordinary_words_pass(words: list[str]) -> None:
    refuse_card_data_in_words(words)
