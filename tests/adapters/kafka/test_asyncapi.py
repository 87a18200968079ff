"""The AsyncAPI document is one by the standard's own parser, and a wrong one is not."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from adapters.kafka.public_values import LATER, PublicEvent, public
from domain.member import Member
from tools.contract.asyncapi import document
from tools.contract.event_contract import DOCS

ROOT = Path(__file__).parents[3]
PARSER = ROOT / ".venv" / "node"
VALIDATE = ROOT / "tools" / "node" / "validate_asyncapi.mjs"

pytestmark = pytest.mark.skipif(
    not (shutil.which("node") and (PARSER / "node_modules").exists()),
    reason="AsyncAPI's parser is not here: it needs Node with npm, and `make test` fetches it",
)


def validated(path: Path) -> tuple[int, str]:
    done = subprocess.run(
        ["node", str(VALIDATE), str(PARSER), str(path)], capture_output=True, text=True, check=False, timeout=100
    )
    return done.returncode, done.stdout + done.stderr


def test_the_document_is_accepted_without_a_warning() -> None:
    code, said = validated(DOCS / "asyncapi.json")
    assert code == 0, said
    assert "channels 1, operations 2, messages 77" in said


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("channels", "events1", "bindings", "kafka", "partitions"), 0),
        (("operations", "publishEvents1", "action"), "publish"),
        (("operations", "followEvents1", "channel", "$ref"), "#/channels/nowhere"),
        (("components", "messages", "opaque.v1", "payload", "type"), "thing"),
    ],
)
def test_a_wrong_document_is_refused(place: tuple[str, ...], value: Any, tmp_path: Path) -> None:
    told = json.loads((DOCS / "asyncapi.json").read_text(encoding="utf-8"))
    within = told
    for name in place[:-1]:
        within = within[name]
    within[place[-1]] = value
    (tmp_path / "wrong.json").write_text(json.dumps(told), encoding="utf-8")
    code, said = validated(tmp_path / "wrong.json")
    assert code == 1, said


def test_a_second_edition_is_a_second_channel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(LATER, 2, {})

    @public("seatledger.member.member_removed.v2", of=Member.MemberRemoved, edition=2)
    class MemberRemovedForGood(PublicEvent):
        """Sent in a test."""

    told = document()
    assert told["channels"]["events2"]["address"] == "seatledger.events.v2"
    first, second = (told["channels"][name]["messages"].keys() for name in ("events1", "events2"))
    assert second - first == {"member.member_removed.v2"}
    assert first - second == {"member.member_removed.v1"}
    (tmp_path / "two.json").write_text(json.dumps(told), encoding="utf-8")
    code, said = validated(tmp_path / "two.json")
    assert code == 0, said
    assert "channels 2, operations 4, messages 78" in said
