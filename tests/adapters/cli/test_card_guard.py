"""What looks like card data is refused before a verb begins, and before a file's rows are stored."""

import io
import logging
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from typer.main import get_command

from adapters.cli.app import run
from adapters.cli.groups import root
from adapters.directory.microsoft_365 import CONTOSO
from adapters.settings import Settings
from tests.adapters.cli.conftest import Console, Said, one_line_of
from tests.adapters.cli.test_bad_input import verbs

pytestmark = pytest.mark.enable_socket

NUMBER = "4111 1111 1111 1111"
VERBS = dict(verbs(get_command(root)))


def said(home: Path, *words: str) -> Said:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(words, Settings(home=home))
    return Said(code, out.getvalue(), err.getvalue())


@pytest.mark.parametrize("path", VERBS, ids=" ".join)
@pytest.mark.parametrize("words", [(NUMBER,), (f"--as={NUMBER}",), ("--cvc", "737"), ("--help", NUMBER)])
def test_no_verb_takes_card_data(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, path: tuple[str, ...], words: tuple[str, ...]
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = said(tmp_path / "home", *path, *words, "--json", "--debug")
    assert answer.refused == "card_data_not_accepted"
    assert answer.data["error"]["facts"]["field"].startswith("/arguments/")
    assert "provider's token" in one_line_of(answer)
    for digits in ("4111", "737"):
        assert digits not in answer.out + answer.err + caplog.text
    assert not (tmp_path / "home").exists(), "nothing was started"


@pytest.mark.parametrize("column", ["Display Name", "Job Title"])
def test_an_import_with_a_card_number_stores_no_row(admin: Console, tmp_path: Path, column: str) -> None:
    header, first, *_ = CONTOSO.read_text("utf-8-sig").splitlines()
    cells = first.replace("chris@", "carla@").split(",")
    cells[header.split(",").index(column)] = f"Carla {NUMBER}"
    file = tmp_path / "members.csv"
    file.write_text("\n".join([header, first.replace("chris@", "dora@"), ",".join(cells)]) + "\n", "utf-8")
    before = admin.done("member", "list")
    answer = admin("member", "import", str(file))
    assert answer.refused == "card_data_not_accepted"
    assert answer.data["error"]["facts"] == {"field": f"/rows/1/{column.lower().replace(' ', '_')}"}
    assert "4111" not in answer.out + answer.err
    assert admin.done("member", "list") == before
