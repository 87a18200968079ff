"""Fifty of a thousand people are forgotten while others go on working; then an old backup comes back."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from structlog.testing import capture_logs

from adapters.composition import House
from adapters.embedded.account import unprivileged_account
from adapters.embedded.postgres import EmbeddedPostgres
from adapters.embedded.postgres_binaries import postgres_binaries
from adapters.postgres.errors import StartRefused
from adapters.postgres.history_reads import HistoryReads
from adapters.postgres.migrate import migrate
from adapters.verification import verify_history, verify_read_models
from services.import_members import ImportMembers, MemberRow, import_members
from services.ports_reads import InvoiceFilter
from tests.services.on_sale import import_power_bi
from tests.system.forgetting import Crowd, canary, everything_in, files_under, found_in, messages_of, settings_of

PEOPLE, FORGOTTEN, PAYERS, BEFORE_THE_BACKUP = 1_000, 50, 5, 10
GONE = [canary(number) for number in range(FORGOTTEN)]
STILL_BILLED = [canary(number, "payer") for number in range(PAYERS)]
WORKERS = 2


class Forgotten(NamedTuple):
    """What was done, and what was known before."""

    url: str
    home: Path
    backup: Path
    crowd: Crowd
    sums: dict[str, tuple[int, int, int, int]]
    worked: int  # commands of others meanwhile


def pg(name: str, *arguments: str) -> None:
    """One of PostgreSQL's own programs."""
    program = postgres_binaries(unprivileged_account()) / name
    subprocess.run([str(program), *arguments], check=True, capture_output=True, text=True)


def sums_of(house: House, crowd: Crowd) -> dict[str, tuple[int, int, int, int]]:
    page = house.invoice_views.list(crowd.organization_id, InvoiceFilter(), at_least=house.views.head())
    return {row.number: (row.total_minor, row.credited_minor, row.paid_minor, row.due_minor) for row in page.rows}


@pytest.fixture(scope="module")
def forgotten(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forgotten]:
    home, backup = tmp_path_factory.mktemp("forgetful"), tmp_path_factory.mktemp("backup") / "before.dump"
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute("CREATE DATABASE forgetful")
    url = postgres.url_as("postgres", "forgetful")
    migrate(url)
    with House(settings_of(url, home)) as house:
        import_power_bi(house.ledger)
        crowd = Crowd(house, PEOPLE, PAYERS)
        sums = sums_of(house, crowd)
        crowd.leave(crowd.ids[:FORGOTTEN])
        for member_id in crowd.ids[:BEFORE_THE_BACKUP]:
            crowd.erases(member_id)
        pg("pg_dump", "--format=custom", f"--file={backup}", f"--dbname={url}")
        with busy(crowd) as commands:
            for member_id in crowd.ids[BEFORE_THE_BACKUP:FORGOTTEN]:
                crowd.erases(member_id)
        assert house.erasures.vacuum()
        yield Forgotten(url, home, backup, crowd, sums, commands())


class busy:  # noqa: N801 - a word of the sentence
    """Others rename people of the crowd who stay, until it ends."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd, self.ended = crowd, threading.Event()
        self.done, self.failed = [0] * WORKERS, list[BaseException]()
        self.threads = [threading.Thread(target=self.work, args=(number,)) for number in range(WORKERS)]

    def work(self, number: int) -> None:
        house = self.crowd.house
        try:
            for turn in count():
                if self.ended.is_set():
                    return
                who = FORGOTTEN + number + WORKERS * (turn % 100)
                row = MemberRow(user_name=f"{canary(who)}@contoso.example", job_title=f"title {turn}")
                import_members(house.ledger, self.crowd.command(ImportMembers, rows=(row,)), house.directory)
                self.done[number] += 1
        except BaseException as error:  # noqa: BLE001 - told by the test
            self.failed.append(error)

    def __enter__(self) -> Callable[[], int]:
        for thread in self.threads:
            thread.start()
        return lambda: sum(self.done)

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        for thread in self.threads:
            thread.join()
        assert not self.failed, self.failed


def test_others_went_on_working_meanwhile(forgotten: Forgotten) -> None:
    assert forgotten.worked > FORGOTTEN


def test_no_name_of_theirs_is_left_where_the_page_promises(forgotten: Forgotten) -> None:
    assert found_in(everything_in(forgotten.url), GONE) == set()
    assert found_in(messages_of(forgotten.url), GONE) == set()
    assert found_in(files_under(forgotten.home), GONE) == set()


def test_the_search_finds_what_is_there(forgotten: Forgotten) -> None:
    """Those who stay, and what an invoice keeps."""
    staying = [canary(number) for number in range(FORGOTTEN, FORGOTTEN + 20)]
    found = found_in(everything_in(forgotten.url), [*staying, *STILL_BILLED])
    assert {word for word, _ in found} == {*staying, *STILL_BILLED}
    assert {place for _, place in found} <= {"ledger.personal_facts", "statistics"}


def test_every_proof_and_every_sum_is_as_it_was(forgotten: Forgotten) -> None:
    with HistoryReads(forgotten.url) as reads:
        assert list(verify_history(reads)) == []
    assert list(verify_read_models(forgotten.url)) == []
    assert forgotten.sums == sums_of(forgotten.crowd.house, forgotten.crowd)
    assert len(forgotten.sums) == PAYERS


@pytest.fixture
def restored(forgotten: Forgotten, postgres: EmbeddedPostgres) -> Iterator[str]:
    """The old backup, in a database of its own."""
    with psycopg.connect(postgres.url, autocommit=True) as server:
        server.execute("CREATE DATABASE restored")
        url = postgres.url_as("postgres", "restored")
        pg("pg_restore", "--exit-on-error", f"--dbname={url}", str(forgotten.backup))
        yield url
        server.execute("DROP DATABASE restored WITH (FORCE)")


def test_an_old_backup_forgets_again_before_it_serves(
    forgotten: Forgotten, restored: str, capfd: pytest.CaptureFixture[str]
) -> None:
    back = {word for word, _ in found_in(everything_in(restored), GONE)}
    assert back == set(GONE[BEFORE_THE_BACKUP:])  # the backup has them
    with capture_logs() as logged, House(settings_of(restored, forgotten.home)) as house:
        _ = house.ledger
        assert found_in(everything_in(restored), GONE) - {(word, "statistics") for word in GONE} == set()
        house.erasures.vacuum()
    assert found_in(everything_in(restored), GONE) == set()
    with HistoryReads(restored) as reads:
        assert list(verify_history(reads)) == []
    said = "".join([*capfd.readouterr(), str(logged)])
    assert "erasures carried out once more" in said
    assert not [word for word in GONE if word in said]


def test_without_the_list_a_backup_does_not_serve(restored: str, tmp_path: Path) -> None:
    with House(settings_of(restored, tmp_path)) as house, pytest.raises(StartRefused, match="put the list back"):
        _ = house.ledger
