"""dev-token: a token of one line for a member or the house's own, and none where it would not be accepted."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from adapters.cli.app import main
from adapters.http.development_issuer import KEY_FILE, DevelopmentIssuer
from adapters.settings import Settings
from tests.adapters.cli.conftest import Console, one_line_of


@pytest.fixture
def console(tmp_path: Path) -> Console:
    """With nothing set: everything would be embedded, and nothing is started."""
    return Console(Settings(home=tmp_path), "contoso", "ben@contoso.com")


def test_a_member_s_token_is_one_line(console: Console, tmp_path: Path) -> None:
    said = console.said("dev-token")
    assert (said.code, said.err) == (0, "")
    assert said.out.count("\n") == 1
    who = DevelopmentIssuer(tmp_path).read(said.out.strip()).principal
    assert (who.kind, who.organization, who.user_name) == ("member", "contoso", "ben@contoso.com")
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]  # no server was started for it


def test_with_json_it_is_a_document(console: Console, tmp_path: Path) -> None:
    data = console.done("dev-token", "--hours", "2")
    assert DevelopmentIssuer(tmp_path).read(data["token"]).principal.user_name == "ben@contoso.com"
    assert (data["organization"], data["user_name"], data["role"]) == ("contoso", "ben@contoso.com", None)
    assert data["hours"] == 2


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (("--role", "operator"), "operator"),
        (("--role", "service"), "service"),
        (("--as", "operator"), "operator"),
        (("--as", "operator", "--role", "service"), "service"),
    ],
)
def test_the_house_s_own_need_no_organization(tmp_path: Path, words: tuple[str, ...], kind: str) -> None:
    said = Console(Settings(home=tmp_path)).plain("dev-token", *words)
    who = DevelopmentIssuer(tmp_path).read(said.out.strip()).principal
    assert (who.kind, who.organization, who.user_name) == (kind, None, None)


def test_a_member_has_both_names(tmp_path: Path) -> None:
    console = Console(Settings(home=tmp_path))
    for words in ((), ("--org", "contoso"), ("--as", "ben@contoso.com")):
        said = console.plain("dev-token", *words)
        assert said.code == 2
        assert "say for whom: --org HANDLE --as USER_NAME" in one_line_of(said)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [("--hours", "0"), ("--hours", "721"), ("--hours", "x"), ("--role", "admin")])
def test_what_cannot_be_is_refused(console: Console, words: tuple[str, ...]) -> None:
    said = console.said("dev-token", *words)
    assert said.code == 2
    assert words[0].removeprefix("--") in one_line_of(said)


def test_a_name_that_is_no_text_is_refused(console: Console) -> None:
    said = console.plain("dev-token", "--org", "contoso", "--as", "ben\udcff@contoso.com")
    assert said.code == 2
    assert one_line_of(said) == "text must be valid Unicode"


@pytest.mark.parametrize(
    "more",
    [
        {"oidc_issuer": "https://login.example.com"},
        {"development": False},
        {"database_url": SecretStr("postgresql://app@127.0.0.1:1/none")},
    ],
)
def test_outside_development_none_is_made(tmp_path: Path, more: dict[str, object]) -> None:
    said = Console(Settings.model_validate({"home": tmp_path, **more}), "contoso", "ben@contoso.com").said("dev-token")
    assert said.code == 2
    assert "not accepted here" in one_line_of(said)
    assert not said.out
    assert not list(tmp_path.iterdir())


def test_two_issuers_are_refused_at_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SEATLEDGER_HOME", str(tmp_path))
    monkeypatch.setenv("SEATLEDGER_DEVELOPMENT", "true")
    monkeypatch.setenv("SEATLEDGER_OIDC_ISSUER", "https://login.example.com")
    monkeypatch.setattr("sys.argv", ["seatledger", "dev-token", "--role", "operator"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "two issuers would be trusted" in capsys.readouterr().err
