"""Files of members: taken whole, or refused with the row, the column and what to do."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.csv_table import FileRefused
from adapters.directory.microsoft_365 import COLUMNS, CONTOSO, read_members

HEADER = ",".join(COLUMNS)
Write = Callable[[bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def made(content: bytes) -> Path:
        path = tmp_path / "users.csv"
        path.write_bytes(content)
        return path

    return made


def a_file(*user_names: str, **cells: str) -> bytes:
    """A file of these users; `cells` stand in every row, spaces of the column as underscores."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    for name in user_names:
        writer.writerow({"User Name": name, **{key.replace("_", " "): value for key, value in cells.items()}})
    return text.getvalue().encode()


def refusal(path: Path) -> str:
    with pytest.raises(FileRefused) as refused:
        read_members(path)
    return str(refused.value).removeprefix(f"{path}: ")


def test_the_five_of_contoso_are_read() -> None:
    members = read_members(CONTOSO)
    assert [member.user_name.split("@")[0] for member in members] == ["chris", "ben", "david", "cynthia", "melissa"]
    assert members[0].details == {
        "user_name": "chris@contoso.com",
        "display_name": "Chris Green",
        "first_name": "Chris",
        "last_name": "Green",
        "job_title": "IT Manager",
        "department": "Information Technology",
    }


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_utf_8_is_read_with_and_without_its_mark(write: Write, mark: bytes) -> None:
    (member,) = read_members(write(mark + a_file("zoë@contoso.example", Display_Name="Zoë Müller")))
    assert (member.user_name, member.display_name) == ("zoë@contoso.example", "Zoë Müller")


def test_who_was_invited_is_a_guest(write: Write) -> None:
    members = read_members(write(a_file("a_b.example#EXT#@contoso.example", "c@contoso.example")))
    assert [member.kind for member in members] == ["guest", "member"]


def test_blank_lines_and_spaces_around_cells_are_passed_over(write: Write) -> None:
    content = a_file(" a@contoso.example ").replace(b"\r\n", b"\r\n\r\n") + b"\r\n,,,,,,,,,,,,,,,\r\n"
    assert [member.user_name for member in read_members(write(content))] == ["a@contoso.example"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (HEADER.encode(), "there are no users"),
        (a_file("a@x").replace(b",Fax", b""), "row 1: the column Fax is missing"),
        (a_file("a@x").replace(b"Fax", b"fax"), "row 1, column 10: 'fax' is not a column"),
        (a_file("a@x").replace(b"Fax", b"City"), "row 1, column 13: City is there twice"),
        (a_file("a@x", ""), None),
        (a_file("a@x", "", City="Redmond"), "row 3, column User Name: is empty"),
        (a_file("a@x", "b@x", "A@X"), "row 4, column User Name: is the same as in row 2"),
        (a_file("a b@x"), "row 2, column User Name: has a space"),
        (a_file("a@x", Fax="n\0ul"), "row 2, column Fax: has a NUL"),
        (a_file("a@x", Department="d" * 257), "row 2, column Department: has 257 characters"),
        (a_file("a@x") + b"b@x,only two\r\n", "row 3, column Last Name: is missing"),
        (a_file("a@x") + b"b@x" + b"," * 16 + b"\r\n", "row 3, column 17: one cell too many"),
        (a_file("a@x") + b'"b@x"oops,\r\n', "row 3: "),
        (a_file("a@x", "é@x").replace("é".encode(), b"\xe9"), "row 3, column User Name: this is not UTF-8"),
        (a_file("a@x", City="Zürich").replace("ü".encode(), b"\xfc"), "row 2, column City: this is not UTF-8"),
        (a_file("a@x").decode().encode("utf-16"), "row 1, column 1: this is not UTF-8"),
    ],
)
def test_a_bad_file_is_refused_whole_with_its_place(write: Write, content: bytes, words: str | None) -> None:
    path = write(content)
    if words is None:
        assert len(read_members(path)) == 1  # an empty row is a blank line
    else:
        said = refusal(path)
        assert said.startswith(words)
        assert "\n" not in said


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert "cannot be read (No such file" in refusal(tmp_path / "nowhere.csv")
    assert "cannot be read (Is a directory" in refusal(tmp_path)
