"""quote --cases works without any server, and refuses a bad file as a whole, naming every bad case and field."""

import io
import json
import socket
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from adapters.cli.app import run
from adapters.settings import Settings
from tests.adapters.cli.conftest import Said, one_line_of

PUBLISHED = Path(__file__).parents[2] / "published" / "proration_cases.json"
CASES: list[dict[str, Any]] = json.loads(PUBLISHED.read_text("utf-8"))
SEATS = next(case for case in CASES if case["id"] == "PO-11")


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def said(home: Path, *words: str) -> Said:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(words, Settings(home=home))
    assert not home.exists(), "nothing is started and nothing is kept"
    return Said(code, out.getvalue(), err.getvalue())


def quoted(home: Path, content: Any) -> Said:
    file = home.parent / "cases.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return said(home, "quote", "--cases", str(file), "--json")


def test_every_case_is_answered_in_order(home: Path) -> None:
    answer = said(home, "quote", "--cases", str(PUBLISHED), "--json")
    assert (answer.code, answer.err) == (0, "")
    assert [each["id"] for each in answer.data] == [case["id"] for case in CASES]
    assert {"id", "rule", "ours", "theirs", "equal", "reason"} <= answer.data[0].keys()
    assert all(each["equal"] is True or each["reason"] == "out_of_scope" for each in answer.data)


def test_cases_may_stand_under_their_name(home: Path) -> None:
    assert quoted(home, {"conventions": {}, "cases": [SEATS]}).data == quoted(home, [SEATS]).data


def test_people_get_a_table_and_a_sum(home: Path) -> None:
    answer = said(home, "quote", "--cases", str(PUBLISHED))
    assert answer.code == 0
    assert "polar-net-truncated.v1" in answer.out
    assert answer.out.splitlines()[-1] == "62 cases: 30 computed, 30 of them equal to what was published"


def test_a_difference_is_told_and_is_no_failure(home: Path) -> None:
    [answer] = quoted(home, [{**SEATS, "expected_amount": "15.01"}]).data
    assert (answer["ours"], answer["theirs"], answer["equal"]) == ("15.00", "15.01", False)
    assert answer["reason"] == "rule_differs"


def refused(home: Path, content: Any) -> str:
    answer = quoted(home, content)
    assert (answer.code, answer.data["error"]["code"]) == (2, "bad_file")
    return one_line_of(answer)


def test_one_bad_case_refuses_the_file_and_every_bad_case_is_named(home: Path) -> None:
    without = {name: value for name, value in SEATS.items() if name != "change_date"}
    line = refused(
        home,
        [
            SEATS,
            {**without, "id": "first"},
            {**SEATS, "id": "second", "old_quantity": -1, "currency": "usd"},
            {**SEATS, "id": "third", "currency": "ZZZ"},
            {**SEATS, "id": "fourth", "period_start": "2025-07-02"},
            {**SEATS, "id": "fifth", "change_date": "2025-08-01"},
            {**without, "id": 7},
            "no case",
            SEATS,
        ],
    )
    for complaint in (
        "case first: change_date: is missing",
        "case second: currency: ",
        "case second: old_quantity: ",
        "case third: currency: ZZZ is no ISO 4217 currency",
        "case fourth: period_end is before period_start",
        "case fifth: change_date is outside of the period",
        "case number 7: id: ",
        "case number 8: ",
        "case PO-11: id: is there twice",
        "no case was quoted",
    ):
        assert complaint in line


def test_more_complaints_than_fit_a_line_are_counted(home: Path) -> None:
    line = refused(home, [{**SEATS, "id": str(number), "vendor": ""} for number in range(50)])
    assert "and 30 more" in line
    assert line.count("vendor") == 20


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is no JSON"), ("{", "is no JSON (line 1)"), ("[NaN]", "is no JSON"), ("[" * 100_000, "is no JSON"),
        ("1" * 5_000, "is no JSON"), ("7", "holds no cases"), ('{"cases": {}}', "holds no cases"),
        ('"text"', "holds no cases"), ("[]" + " " * 10_000_000, "is larger than 4 MB"), ("[[]]", "case number 1"),
    ],
    ids=lambda text: text[:15],
)  # fmt: skip
def test_what_holds_no_cases_is_refused(home: Path, content: str, says: str) -> None:
    assert says in refused(home, content)


def test_no_cases_are_no_failure(home: Path) -> None:
    assert quoted(home, []).data == []


def test_a_file_that_is_not_there_or_no_text_is_refused(home: Path, tmp_path: Path) -> None:
    assert "no such file" in one_line_of(said(home, "quote", "--cases", str(tmp_path / "nothing.json")))
    assert "no such file" in one_line_of(said(home, "quote", "--cases", str(tmp_path)))
    (tmp_path / "latin.json").write_bytes(b'["\xe9"]')
    assert "no UTF-8" in one_line_of(said(home, "quote", "--cases", str(tmp_path / "latin.json")))


@pytest.mark.parametrize(
    "words", [("Power BI Pro",), ("--licenses", "5"), ("--term", "P1Y"), ("Power BI Pro", "--plan", "monthly")]
)
def test_cases_and_an_offer_are_a_usage_error(home: Path, words: tuple[str, ...]) -> None:
    answer = said(home, "quote", "--cases", str(PUBLISHED), *words)
    assert answer.code == 2
    assert "leave the offer" in one_line_of(answer)


def test_neither_cases_nor_an_offer_is_one_as_well(home: Path) -> None:
    answer = said(home, "quote")
    assert answer.code == 2
    assert "OFFER and --licenses, or --cases FILE" in one_line_of(answer)
