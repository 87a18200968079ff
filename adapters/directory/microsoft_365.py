"""The Microsoft 365 bulk format: what its admin center takes and gives as CSV."""

from __future__ import annotations

from pathlib import Path

from adapters.csv_table import FileRefused, read_table
from domain.member import Kind
from services.import_members import MemberRow

COLUMNS = (
    "User Name",
    "First Name",
    "Last Name",
    "Display Name",
    "Job Title",
    "Department",
    "Office Number",
    "Office Phone",
    "Mobile Phone",
    "Fax",
    "Alternate email address",
    "Address",
    "City",
    "State or Province",
    "ZIP or Postal Code",
    "Country or Region",
)
CONTOSO = Path(__file__).with_name("contoso_users.csv")
"""The sample that the format's publisher gives: five people of Contoso."""

GUEST_MARK = "#ext#"  # stands in the user name of somebody who was invited from another organization


def read_members(path: Path) -> list[MemberRow]:
    """The people of the file, all or none; what is not needed to name them (phones, addresses) is not taken.

    Raises FileRefused with row and column: columns that differ, an empty or doubled user name, texts that are no
    UTF-8, too long or hold a NUL.
    """
    members: list[MemberRow] = []
    first_seen: dict[str, int] = {}
    for row in read_table(path, COLUMNS):
        user_name = row.required("User Name")
        if any(character.isspace() for character in user_name):
            row.refuse("User Name", "has a space in it; correct the name")
        folded = user_name.lower()
        if folded in first_seen:
            row.refuse("User Name", f"is the same as in row {first_seen[folded]}; keep one of them")
        first_seen[folded] = row.number
        members.append(
            MemberRow(
                user_name=user_name,
                kind=kind_of(user_name),
                first_name=row["First Name"],
                last_name=row["Last Name"],
                display_name=row["Display Name"],
                job_title=row["Job Title"],
                department=row["Department"],
            )
        )
    if not members:
        raise FileRefused(f"{path}: there are no users under the header; add a row for each")
    return members


def kind_of(user_name: str) -> Kind:
    """A guest keeps the mark of the invitation in the user name."""
    return "guest" if GUEST_MARK in user_name.lower() else "member"
