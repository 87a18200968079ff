"""Imports of members: whole or not at all, repeatable, and completed after an interruption."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from adapters.cli import member
from adapters.directory.microsoft_365 import CONTOSO
from services.import_members import ImportMembers, import_members
from services.ledger import Ledger
from services.ports import Directory, Receipt
from tests.adapters.cli.conftest import Console, one_line_of

pytestmark = pytest.mark.enable_socket


def test_a_file_imported_again_changes_nothing(admin: Console, members_file: Path) -> None:
    said = admin("member", "import", str(members_file))
    assert (said.data["members"], said.data["events"]) == (1_200, 1_200)
    assert "imported 1,200 of 1,200 members" in said.err  # progress, beside the answer
    assert admin.done("member", "import", str(members_file))["events"] == 0


def test_the_same_command_id_answers_the_same(admin: Console, members_file: Path) -> None:
    words = ("member", "import", str(members_file), "--command-id", str(uuid4()))
    assert admin.done(*words) == admin.done(*words)
    changed = members_file.read_text("utf-8").replace("Generated Member 0001", "Generated Member 0001 b")
    members_file.write_text(changed, "utf-8")
    assert admin(*words).code == 1


def test_an_interrupted_import_is_completed_by_repeating_it(
    admin: Console, members_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[UUID] = []

    def interrupted(ledger: Ledger, command: ImportMembers, directory: Directory) -> Receipt:
        if done:
            raise KeyboardInterrupt
        done.append(command.command_id)
        return import_members(ledger, command, directory)

    monkeypatch.setattr(member, "import_members", interrupted)
    said = admin("member", "import", str(members_file))
    assert said.code == 130
    line = said.err.splitlines()[-1]
    assert line.startswith("seatledger: interrupted; what was recorded stays recorded (with --command-id ")
    command_id = line.removesuffix(")").rsplit(" ", 1)[1]
    monkeypatch.undo()
    assert len(admin.done("member", "list", "--name", "generated", "--limit", "2000")["members"]) == 500
    words = ("member", "import", str(members_file), "--command-id", command_id)
    assert admin.done(*words)["events"] == 1_200
    assert len(admin.done("member", "list", "--name", "generated", "--limit", "2000")["members"]) == 1_200


def test_of_a_bad_file_nothing_is_imported(admin: Console, members_file: Path) -> None:
    members_file.write_text(members_file.read_text("utf-8") + "generated.0001@contoso.example" + "," * 15, "utf-8")
    said = admin("member", "import", str(members_file))
    assert said.code == 2
    assert said.data["error"]["code"] == "bad_file"
    assert "row 1202, column User Name: is the same as in row 2" in one_line_of(said)
    assert admin.done("member", "list", "--name", "generated")["members"] == []


def test_a_directory_that_differs_changes_what_differs(admin: Console, tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_text(CONTOSO.read_text("utf-8-sig").replace("Melissa MacBeth", "Melissa M."), "utf-8")
    assert admin.done("member", "import", str(file))["events"] == 1
    (found,) = admin.done("member", "list", "--name", "melissa@")["members"]
    assert found["display_name"] == "Melissa M."
