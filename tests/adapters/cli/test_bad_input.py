"""Whatever is typed wrongly: one line that says what to do, exit code 2 for usage and 1 for refusals, no traceback."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from adapters.cli.groups import root
from tests.adapters.cli.conftest import Console, Said, one_line_of

pytestmark = pytest.mark.enable_socket

UNKNOWN = "1dc2b118-9995-480f-ba03-e3b57bfefc71"  # the same in every process that collects these tests
SERVERS = {"up", "relay", "projector", "demo", "migrate"}


def verbs(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every verb of the tree with its command."""
    for name, child in command.commands.items():
        if hasattr(child, "commands"):
            yield from verbs(child, (*path, name))
        else:
            yield (*path, name), child


VERBS = dict(verbs(get_command(root)))


def refused_as(said: Said, code: int) -> str:
    assert said.code == code, said
    assert said.out == ""
    return one_line_of(said)


@pytest.mark.parametrize("path", VERBS, ids=" ".join)
def test_every_verb_explains_itself_with_an_example(operator: Console, path: tuple[str, ...]) -> None:
    said = operator.plain(*path, "--help")
    assert said.code == 0
    assert "Example" in said.out
    assert "--json" in said.out
    assert VERBS[path].help.splitlines()[0].endswith("."), "the first line is a sentence"


@pytest.mark.parametrize("path", VERBS, ids=" ".join)
def test_every_verb_refuses_an_unknown_option_in_a_line(operator: Console, path: tuple[str, ...]) -> None:
    assert "--nonsense" in refused_as(operator.plain(*path, "--nonsense"), 2)


@pytest.mark.parametrize("path", [p for p in VERBS if p[-1] not in SERVERS], ids=" ".join)
def test_every_verb_refuses_more_words_than_it_takes_or_unknown_things(anybody: Console, path: tuple[str, ...]) -> None:
    """Words that nothing is called by, in numbers that no verb takes."""
    said = anybody.plain(*path, *["x\N{BELL}y"] * 30)
    refused_as(said, 2)


ALSO = {
    ("schedule",): ["5"],
    ("quote",): ["Power BI Pro", "--licenses", "1"],
    ("unassign",): ["ben@contoso.com"],
    ("billing-profile", "bill-to"): ["--country", "US"],
    ("billing-profile", "po-number"): ["--none"],
    ("audit", "show"): ["--at", "1"],
    ("audit", "states"): ["--at", "1"],
    ("audit", "read-model"): ["--at", "1"],
    ("audit", "diff"): ["--from", "1"],
    ("audit", "rerate"): ["--price", "CFQ7TTC0H9MP=1399"],
}
# An operator acts where nobody is named, or needs no organization.
OF_OPERATORS = {
    ("audit", "csv"),
    ("audit", "export"),
    ("catalog", "list"),
    ("quote",),
    ("advance",),
    ("invoice", "reconcile"),
    ("sandbox", "confirm"),
    ("sandbox", "dispute"),
}
# A token of development is issued without asking any server; that nobody is meant by it shows where it is sent.
# A witness acts by a key.
OF_NOBODY = {("dev-token",), ("audit", "witness")}
ORG_VERBS = [p for p, c in VERBS.items() if any("--org" in option.opts for option in c.params) and p not in OF_NOBODY]


@pytest.mark.parametrize("path", ORG_VERBS, ids=" ".join)
def test_a_missing_or_unknown_organization_or_user_is_named(
    anybody: Console, path: tuple[str, ...], tmp_path: Path
) -> None:
    command = VERBS[path]
    words: list[str] = []
    for option in command.params:
        if option.required:
            words += [*option.opts[-1:]] if option.param_type_name == "option" else []
            words += [GOOD.get((*path, option.name)) or good_word(option.name)]
    words += ALSO.get(path, [])
    words = [str(tmp_path / "new") if word == NEW_FILE else word for word in words]
    nowhere = anybody.plain(*path, *words, "--org", "nowhere", "--as", "chris@contoso.com")
    assert "there is no organization nowhere" in refused_as(nowhere, 1)
    nobody = anybody.plain(*path, *words, "--org", str(anybody.handle), "--as", "nobody@contoso.example")
    assert "there is no user nobody@contoso.example" in refused_as(nobody, 1)
    if path not in OF_OPERATORS:
        assert "--as USER_NAME" in refused_as(anybody.plain(*path, *words, "--org", str(anybody.handle)), 2)
        assert "--org HANDLE" in refused_as(anybody.plain(*path, *words, "--as", "operator"), 2)


NEW_FILE = "a new file"
# Words of the same name as in other verbs, and another meaning.
GOOD = {
    ("audit", "grant", "purpose"): "tax_audit",
    ("privacy", "erase", "reason"): "asked_by_subject",
    ("audit", "read-model", "name"): "purchases",
}


def good_word(name: str) -> str:
    return {
        "fact": UNKNOWN,
        "salt": "00" * 32,
        "value_file": "pyproject.toml",
        "on": "2026-01-01",
        "out": NEW_FILE,
        "licenses": "1",
        "total": "1",
        "state": "on",
        "when": "now",
        "reason": "other",
        "role": "auditor",
        "policy": "Disabled",
        "subscription": UNKNOWN,
        "aggregate": UNKNOWN,
        "at": "1",
        "words": UNKNOWN,
        "users": "ben@contoso.com",
        "file": "adapters/directory/contoso_users.csv",
        "product": "Power BI Pro",
        "payment_method": UNKNOWN,
        "invoice": UNKNOWN,
        "target": UNKNOWN,
        "payment": UNKNOWN,
        "profile_role": "reader",
        "since": "2026-01-01",
        "until": "2026-01-31",
    }.get(name, "Power BI Pro")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("buy", "Power BI Pro", "--licenses", "many"), 2, "--licenses"),
        (("buy", "Power BI Pro", "-n", "0"), 2, "licenses should be greater than or equal to 1"),
        (("buy", "Power BI Pro", "-n", "-1"), 2, "licenses should be greater than or equal to 1"),
        (("buy", "Power BI Pro", "-n", "99999999999999999999"), 2, "licenses should be less than"),
        (("quote", "Power BI Pro", "-n", "10001"), 1, "take at most 10000"),
        (("buy", "Power BI Pro", "-n", "1"), 1, "has no billing profile; add a payment method"),
        (("buy", "Power BI Pro"), 2, "--licenses"),
        (("buy", UNKNOWN, "-n", "1"), 1, "there is no product"),
        (("buy", "Power BI Pro", "-n", "1", "--command-id", "mine"), 2, "no UUID"),
        (("buy", "Power BI Pro", "-n", "1", "--term", "P2Y"), 2, "P1M"),
        (("resize", UNKNOWN, "5"), 1, "there is no subscription"),
        (("resize", "1234567", "5"), 2, "first 8 or more characters"),
        (("resize", "12345678", "5"), 1, "there is no subscription 12345678"),
        (("resize", "not-an-id", "5"), 2, "is no subscription id"),
        (("resize", UNKNOWN, "--", "-5"), 2, "total should be greater than or equal to 0"),
        (("resize", UNKNOWN, "1.5"), 2, "TOTAL"),
        (("resize", UNKNOWN, "1" * 5_000), 2, "otal"),
        (("assign", UNKNOWN), 2, "Missing argument"),
        (("unassign", UNKNOWN), 2, "say whose licenses"),
        (("unassign", "--product", "Power BI Pro", "ben@contoso.com"), 2, "you have no subscription"),
        (("schedule", UNKNOWN, "1", "--withdraw"), 2, "not both"),
        (("recurring", UNKNOWN, "maybe"), 2, "'on', 'off'"),
        (("cancel", UNKNOWN, "--when", "now", "--reason", "bored"), 2, "'too_expensive'"),
        (("cancel", UNKNOWN, "--when", "later", "--reason", "other"), 2, "'term_end'"),
        (("cancel", UNKNOWN, "--when", "now", "--reason", "other", "--feedback", "f" * 2_001), 2, "2000 characters"),
        (("cancel", UNKNOWN, "--when", "now", "--reason", "other", "--feedback", ""), 2, "at least 1 character"),
        (("cancel", UNKNOWN, "--when", "now", "--reason", "other", "--feedback", "\udce9"), 2, "valid Unicode"),
        (("purchases", "list", "--ends-before", "tomorrow"), 2, "is no date; write it like"),
        (("purchases", "list", "--ends-before", "2025-02-30"), 2, "is no date"),
        (("purchases", "list", "--state", "lost"), 2, "'active'"),
        (("purchases", "show", UNKNOWN, "--on", "20250101"), 2, "is no date"),
        (("member", "list", "--limit", "0"), 2, "limit should be greater"),
        (("member", "list", "--name", "n" * 300), 2, "name"),
        (("member", "import", "nowhere.csv"), 2, "nowhere.csv: cannot be read"),
        (("member", "import", "."), 2, "cannot be read"),
        (("member", "remove", "nobody@contoso.example"), 1, "there is no user"),
        (("role", "grant", "ben@contoso.com", "king"), 2, "'admin'"),
        (("role", "grant", "ben@contoso.com", "purchaser"), 2, "'admin'"),
        (("policy", "set", "Power BI Pro", "Maybe"), 2, "'Enabled'"),
        (("policy", "set", "Nothing", "Enabled"), 1, "there is no product Nothing"),
        (("audit", "history", "chris"), 2, "is no id"),
        (("audit", "show", UNKNOWN, "--at", "yesterday"), 2, "is no time; write it like"),
        (("audit", "show", UNKNOWN), 2, "--at"),
        (("quote", "Power BI Pro", "-n", "5", "--role", "king"), 2, "'purchaser'"),
        (("quote", "", "-n", "5"), 1, "there is no product"),
        (("quote", "Power BI Pro"), 2, "say what to quote"),
        (("quote", UNKNOWN, "--total", "5", "--renewal"), 2, "say one of --total"),
        (("quote", UNKNOWN, "--total", "5", "-n", "5"), 2, "--licenses and --profile go with"),
        (("quote", UNKNOWN, "--cancel", "soon"), 2, "'term_end'"),
        (("quote", "Power BI Pro", "--renewal"), 2, "is no subscription id"),
        (("buy", "Power BI Pro", "-n", "1", "--expected-amount", "much"), 2, "is no amount; write it like"),
        (("buy", "Power BI Pro", "-n", "1", "--expected-amount", "14.001"), 2, "more decimals"),
        (("buy", "Power BI Pro", "-n", "1", "--profile", "K7"), 2, "names no billing profile"),
        (("buy", "Power BI Pro", "-n", "1", "--profile", "K7Q2ZD"), 1, "there is no billing profile K7Q2ZD"),
        (("payment-method", "add", ""), 2, "at least 1 character"),
        (("payment-method", "add", "tok_nonsense"), 1, "no_such_token"),
        (("payment-method", "add", "tok_visa_kr"), 1, "use a card issued in US"),
        (("payment-method", "edit", UNKNOWN), 2, "say what changes"),
        (("payment-method", "edit", UNKNOWN, "--expiry", "13/2030"), 2, "is no month; write it like"),
        (
            ("payment-method", "edit", UNKNOWN, "--security-code-token", "737"),
            1,
            "security code, which is not accepted",
        ),
        (("payment-method", "edit", UNKNOWN, "--holder", "Ben"), 1, "there is no payment method"),
        (("payment-method", "remove", "visa"), 2, "is no payment method id"),
        (("payment-method", "remove", "12345678"), 1, "there is no payment method 12345678"),
        (("billing-profile", "open", UNKNOWN), 1, "there is no payment method"),
        (("billing-profile", "open", UNKNOWN, "--country", "XX"), 1, "no ISO 3166 country"),
        (("billing-profile", "show"), 1, "there is no billing profile"),
        (("billing-profile", "bill-to"), 2, "say what changes"),
        (("billing-profile", "po-number"), 2, "say the PO number, or --none"),
        (("billing-profile", "po-number", "P" * 65), 2, "64 characters"),
        (("billing-profile", "grant", "ben@contoso.com", "king"), 2, "'contributor'"),
        (("invoice", "list", "--past", "1y"), 2, "'3m'"),
        (("invoice", "list", "--past", "6m", "--from", "2026-01-01"), 2, "not both"),
        (("invoice", "list", "--from", "2026-02-01", "--to", "2026-01-01"), 2, "the first day is after the last"),
        (("invoice", "list", "--from", "January"), 2, "is no date"),
        (("invoice", "list", "--state", "lost"), 2, "'past_due'"),
        (("invoice", "show", "K7Q2ZD-94MXPA-000001"), 1, "there is no invoice K7Q2ZD-94MXPA-000001"),
        (("invoice", "show", UNKNOWN), 1, "there is no invoice"),
        (("invoice", "pay", UNKNOWN), 1, "there is no invoice"),
        (("invoice", "pdf", UNKNOWN), 2, "--output"),
        (("reactivate", UNKNOWN), 1, "there is no subscription"),
        (("take-over", "adopt", UNKNOWN, "--reason", "bored"), 2, "'purchaser_left'"),
        (("take-over", "move", UNKNOWN, UNKNOWN), 1, "there is no subscription"),
        (("sandbox", "confirm", UNKNOWN), 2, "an operator can"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, tuple) else None,
)
def test_bad_input_is_answered_with_what_to_do(anybody: Console, words: tuple[str, ...], code: int, says: str) -> None:
    head, tail = (words[: words.index("--")], words[words.index("--") :]) if "--" in words else (words, ())
    said = anybody.plain(*head, "--org", str(anybody.handle), "--as", "chris@contoso.com", *tail)
    assert says.lower() in refused_as(said, code).lower()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("organization", "create", "Contoso!", "--country", "US", "--currency", "USD", "--admin", "a@b"), 2, "handle"),
        (("organization", "create", "c", "--country", "US", "--currency", "USD", "--admin", "a b"), 2, "has a space"),
        (("organization", "create", "c", "--country", "US", "--currency", "USD", "--admin", ""), 2, "user-name"),
        (("organization", "create", "catalog", "--country", "US", "--currency", "USD", "--admin", "a@b"), 1, "catalog"),
        (("organization", "create", "c", "--country", "US"), 2, "--currency"),
        (("catalog", "price", "Power BI Pro", "--on", "2030-01-01"), 2, "say --amount, or --withdraw"),
        (("catalog", "price", "Power BI Pro", "--on", "soon", "--amount", "1"), 2, "is no date"),
        (("catalog", "price", "Power BI Pro", "--on", "2030-01-01", "--amount", "1.005"), 2, "more decimals"),
        (("catalog", "price", "Power BI Pro", "--on", "2030-01-01", "--amount", "-1"), 2, "out of range"),
        (("catalog", "withdraw", "Power BI Pro"), 2, "say --on, or --revoke"),
        (("catalog", "import", "--prices", "nowhere.csv"), 2, "cannot be read"),
        (("due", "--until", "never"), 2, "is no date"),
        (("advance", "--as-of", "soon"), 2, "is no time; write it like"),
        (("advance", "--workers", "0"), 2, "--workers"),
        (("advance", "--as", "chris@contoso.com"), 2, "an operator can"),
        (("invoice", "reconcile", "--from", "2026-02-01", "--to", "2026-01-01"), 2, "the first day is after the last"),
        (("nothing",), 2, "No such command"),
        (("member",), 2, None),
        ((), 2, None),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, tuple) else None,
)
def test_the_operators_bad_input_too(operator: Console, words: tuple[str, ...], code: int, says: str | None) -> None:
    said = operator.plain(*words)
    if says is None:  # nothing was asked: the help is shown
        assert said.code == code
        assert "Usage" in said.out + said.err
        assert "Traceback" not in said.err
    else:
        assert says.lower() in refused_as(said, code).lower()


def test_with_json_the_failure_is_a_document_too(anybody: Console) -> None:
    said = anybody("resize", UNKNOWN, "many")
    assert (said.code, said.data["error"]["code"]) == (2, "bad_input")
    said = anybody("resize", UNKNOWN, "5")
    assert (said.code, said.data["error"]["code"], said.data["error"]["facts"]["key"]) == (1, "not_found", UNKNOWN)


def test_what_a_name_holds_is_printed_and_not_obeyed(admin: Console, tmp_path: Path) -> None:
    header = Path("adapters/directory/contoso_users.csv").read_text("utf-8-sig").splitlines()[0]
    file = tmp_path / "users.csv"
    file.write_text(f"{header}\nodd@contoso.example,,,[red]\x1b[31mOdd:smile:{',' * 12}\n", "utf-8")
    admin.done("member", "import", str(file))
    shown = admin.said("member", "list", "--name", "odd").out
    assert "[red]" in shown
    assert ":smile:" in shown
    assert "\x1b" not in shown
