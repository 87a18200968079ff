"""Checkpoints and proofs over HTTP: checked by whoever has the log's key, and cosigned by a witness elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.cli.app import run
from adapters.proof.check_proof import check_event, check_growth
from adapters.proof.notes import NoteInvalid, SigningKey
from adapters.proof.seal_folder import SealFolder
from adapters.proof.shown_by_api import ShownByApi
from adapters.proof.trust import Trust
from adapters.proof.witness import Witness, WitnessRefused
from adapters.settings import Settings
from tests.adapters.http.asking import member_id_of
from tests.adapters.http.conftest import OTHER, Api, founded, refused
from tests.adapters.proof.sealing import folder_at, sealed

NOTHING_LATER = 2**62


@pytest.fixture
def auditor(chris: Api) -> Api:
    """David, who acts as auditor without saying so."""
    chris.post("/roles", {"member_id": member_id_of(chris, OTHER), "role": "auditor"})
    return chris.as_(OTHER)


class Seals:
    """The sealer of the tests' ledger."""

    def __init__(self, settings: Settings) -> None:
        assert settings.database_url
        self.url = settings.database_url.get_secret_value()
        self.folder: SealFolder = folder_at(settings.home / "seal")

    def all(self) -> Trust:
        """Seals all there is; whoever has its key trusts this."""
        while not sealed(self.url, self.folder).drained:
            pass
        last = self.folder.last()
        assert last
        return Trust.of([key.verifying() for key in self.folder.keys(last.checkpoint.origin)])


@pytest.fixture
def seals(api_settings: Settings) -> Seals:
    return Seals(api_settings)


def read(caller: Api, path: str, **query: int) -> str:
    answer = caller.ask("GET", f"/audit{path}", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    return answer.text


def test_an_event_is_proved_to_whoever_has_the_logs_key(auditor: Api, bought: str, seals: Seals) -> None:
    trust = seals.all()
    first = auditor.get(f"/history/{bought}")["items"][0]
    proven = check_event(read(auditor, f"/proofs/{first['position']}"), trust)
    assert (str(proven.event.originator_id), proven.event.position) == (bought, first["position"])
    assert proven.event.chain_hash.hex() == first["chain_hash"]
    checkpoint = trust.opened(read(auditor, "/checkpoint")).checkpoint
    assert checkpoint.size >= proven.trusted.checkpoint.size
    assert trust.opened(read(auditor, f"/checkpoints/{checkpoint.size}")).checkpoint == checkpoint


def test_others_events_are_not_there(auditor: Api, operator: Api, ben: Api, bought: str, seals: Seals) -> None:
    assert bought
    elsewhere = founded(operator).post("/members", {"rows": [{"user_name": "ina@contoso.com"}]})["position"]
    seals.all()
    for position in (1, elsewhere, 2**63 - 1):  # the first is the catalog's, which its session may see
        refused(auditor.ask("GET", f"/audit/proofs/{position}"), 404, "not_found")
    refused(ben.ask("GET", "/audit/proofs/1"), 403, "not_allowed")
    refused(ben.ask("GET", "/audit/checkpoint"), 403, "not_allowed")
    refused(operator.ask("GET", "/v1/organizations/catalog/audit/proofs/0"), 400, "bad_parameter")
    answer = operator.ask("GET", "/v1/organizations/catalog/audit/proofs/1")
    assert answer.text.startswith("c2sp.org/tlog-proof@v1\nextra ")


def test_what_is_not_sealed_yet_is_not_proved(auditor: Api, chris: Api, seals: Seals) -> None:
    seals.all()
    done = chris.post("/members", {"rows": [{"user_name": "nobody.yet@contoso.com"}]})
    refused(auditor.ask("GET", f"/audit/proofs/{done['position']}"), 409, "nothing_sealed")
    refused(auditor.ask("GET", f"/audit/checkpoints/{NOTHING_LATER}"), 404, "not_found")
    seals.all()
    assert read(auditor, f"/proofs/{done['position']}")


def test_a_tree_is_shown_to_have_grown(auditor: Api, chris: Api, seals: Seals) -> None:
    trust = seals.all()
    kept = read(auditor, "/checkpoint")
    chris.post("/members", {"rows": [{"user_name": "one.more@contoso.com"}]})
    seals.all()
    size = trust.opened(kept).checkpoint.size
    grown = check_growth(read(auditor, "/consistency", earlier=size), kept, trust)
    assert grown.later.checkpoint.size > size
    same = check_growth(read(auditor, "/consistency", earlier=size, size=size), kept, trust)
    assert same.later.checkpoint == same.earlier.checkpoint
    refused(auditor.ask("GET", "/audit/consistency", params={"earlier": NOTHING_LATER}), 404, "not_found")


def test_a_witness_asks_the_api_and_believes_nothing_of_it(
    auditor: Api, chris: Api, seals: Seals, tmp_path: Path
) -> None:
    trust = seals.all()
    key = SigningKey.from_seed("auditor.example/ana", b"a" * 32)
    witness = Witness(key, trust, tmp_path / "state", lambda: datetime.now(UTC))
    shown = ShownByApi(str(auditor.http.base_url), str(auditor.handle), auditor.bearer)
    first = witness.cosign(shown, first=True)
    chris.post("/members", {"rows": [{"user_name": "another.one@contoso.com"}]})
    seals.all()
    then = witness.cosign(shown)
    assert then.before
    assert then.before.checkpoint == first.trusted.checkpoint
    assert then.trusted.checkpoint.size > first.trusted.checkpoint.size
    stranger = Witness(
        key, Trust.of([key.from_seed("seatledger/x/1", b"x" * 32).verifying()]), tmp_path / "s", witness.clock
    )
    with pytest.raises(NoteInvalid, match="no key that is trusted here"):
        stranger.cosign(shown, first=True)


def test_a_witness_types_it(auditor: Api, seals: Seals, tmp_path: Path) -> None:
    (log,) = seals.all().logs
    key, token, state = (str(tmp_path / name) for name in ("key", "token", "state"))
    elsewhere = Settings(home=tmp_path / "elsewhere")
    assert run(("audit", "witness-key", "auditor.example/ana", "--out", key), elsewhere) == 0
    Path(token).write_text(f"{auditor.bearer}\n", encoding="ascii")
    own = ("--key-file", key, "--state", state, "--log-key", str(log), "--token-file", token)
    words = ("audit", "witness", *own, "--url", str(auditor.http.base_url), "--org", str(auditor.handle))
    assert run((*words, "--first"), elsewhere) == 0
    assert run(words, elsewhere) == 0
    assert run((*words[:-2], "--org", "another"), elsewhere) == 1
    assert Path(state).read_text("utf-8").count("auditor.example/ana") == 1


def test_what_the_api_refuses_is_told_as_that(auditor: Api, ben: Api) -> None:
    base, handle = str(auditor.http.base_url), str(auditor.handle)
    with pytest.raises(WitnessRefused, match="answers 403"):
        ShownByApi(base, handle, ben.bearer).latest()
    with pytest.raises(WitnessRefused, match="answers 401"):
        ShownByApi(base, handle, None).latest()
    with pytest.raises(WitnessRefused, match="has no checkpoint"):
        ShownByApi(base, "another", auditor.bearer).latest()
    with pytest.raises(WitnessRefused, match="does not answer"):
        ShownByApi("http://127.0.0.1:9", handle, None).latest()
    for url in ("http://api.example", "ftp://api.example", "https://me@api.example", "nonsense"):
        with pytest.raises(WitnessRefused, match="no address that a token may go to"):
            ShownByApi(url, handle, None)
