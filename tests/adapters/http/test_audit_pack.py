"""A pack over HTTP: an organization's own events, complete when the answer begins."""

from __future__ import annotations

import io

import pytest

from adapters.composition import House
from adapters.http import audit_pack
from adapters.proof import verify_pack
from adapters.proof.seal_folder import SealFolder
from adapters.settings import Settings
from domain.organization import organization_id_of
from tests.adapters.http.asking import member_id_of
from tests.adapters.http.conftest import OTHER, PURCHASER, Api, founded, refused
from tests.adapters.proof.packs import members_of
from tests.adapters.proof.sealing import folder_at, sealed

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def seals(api_settings: Settings) -> SealFolder:
    """The sealer's folder, as the settings name it."""
    with House(api_settings) as house:
        return folder_at(house.seal_folder.path)


@pytest.fixture
def auditor(chris: Api) -> Api:
    chris.post("/roles", {"member_id": member_id_of(chris, OTHER), "role": "auditor"})
    return chris.as_(OTHER)


def seal(settings: Settings, folder: SealFolder) -> verify_pack.Key:
    assert settings.database_url
    while not sealed(settings.database_url.get_secret_value(), folder).drained:
        pass  # a writer of another database may hold it up for a moment
    last = folder.last()
    assert last
    return verify_pack.key_of(str(folder.keys(last.checkpoint.origin)[0].verifying()))


def test_an_auditor_downloads_a_pack(auditor: Api, api_settings: Settings, seals: SealFolder) -> None:
    assert auditor.handle
    key = seal(api_settings, seals)
    answer = auditor.ask("GET", "/audit/pack")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == f'attachment; filename="{auditor.handle}.pack"'
    assert int(answer.headers["content-length"]) == len(answer.content)
    found = verify_pack.verify(io.BytesIO(answer.content), keys=[key])
    assert found.ledger.chains.keys() == {organization_id_of(auditor.handle).bytes}

    kept, size = members_of(answer.content)["checkpoint"], found.checkpoint.size
    founded(auditor.of_the_house("operator"))
    seal(api_settings, seals)
    later = auditor.ask("GET", "/audit/pack", params={"kept": size}).content
    assert verify_pack.verify(io.BytesIO(later), keys=[key], kept=[("kept", kept)]).kept == 1


def test_nobody_gets_what_is_not_theirs(auditor: Api, chris: Api, api_settings: Settings, seals: SealFolder) -> None:
    seal(api_settings, seals)
    refused(chris.as_(PURCHASER).ask("GET", "/audit/pack"), 403, "not_allowed")
    other = founded(auditor.of_the_house("operator"))
    assert other.handle
    assert auditor.within(other.handle).ask("GET", "/audit/pack").status_code in {403, 404}
    operators = auditor.of_the_house("operator").ask("GET", "/audit/pack")
    assert operators.status_code == 200


def test_what_there_is_no_pack_of(auditor: Api) -> None:
    refused(auditor.ask("GET", "/audit/pack", params={"kept": 0}), 400, "bad_parameter")
    refused(auditor.ask("GET", "/audit/pack"), 409, "nothing_sealed")  # of this organization, whatever of others is


def test_a_pack_that_is_too_large_for_a_download_names_who_makes_it(
    auditor: Api, api_settings: Settings, seals: SealFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal(api_settings, seals)
    monkeypatch.setattr(audit_pack, "MOST_EVENTS", 3)
    found = refused(auditor.ask("GET", "/audit/pack"), 409, "pack_too_large")
    assert "audit export" in found["detail"]
