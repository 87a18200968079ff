"""Derive: every amount of an organization's history again, from a history that has none, and compared to the cent."""

from collections.abc import Iterable, Iterator, Sequence

from domain.envelope import RecordedEvent
from domain.kernel import PydanticJSON, PydanticMapper
from projections.audit.accounts import Accounts, Amounts, Moves
from projections.audit.amounts import Told, read
from projections.audit.amounts_of_events import amounts_of, requested
from projections.audit.causal_order import as_it_came_about
from projections.audit.verify import Difference, examine

CHECK = "amounts"


def differences(
    events: Iterable[RecordedEvent], moves: Moves, mapper: PydanticMapper | None = None
) -> Iterator[Difference]:
    """Every amount of one organization that is not what the rest of its history gives."""
    return examine(events, [AmountsCheck(mapper or PydanticMapper(PydanticJSON()), moves)])


class AmountsCheck:
    """Reads one organization's events in order, a save at a time."""

    def __init__(self, mapper: PydanticMapper, moves: Moves) -> None:
        self.mapper, self.accounts = mapper, Accounts(moves)
        self.save: list[Told] = []
        self.stored: dict[int, Amounts] = {}

    def see(self, event: RecordedEvent) -> Iterator[Difference]:
        try:
            told, amounts, ends_save = read(event, self.mapper)
        except Exception:  # noqa: BLE001 - that it cannot be read, the other check says
            return
        if told:
            self.save.append(told)
            self.stored[told.seq] = amounts
        if ends_save:
            yield from self.end()

    def end(self) -> Iterator[Difference]:
        save, stored, self.save, self.stored = self.save, self.stored, [], {}
        for told, derived in derive(save, self.accounts):
            yield from compared(self.accounts, told, stored[told.seq], derived)
        for bill, owed in self.accounts.owing(list(dict.fromkeys(told.id for told in save))):
            what = f"{owed} are owed after event #{save[-1].seq}, and nothing gives them back"
            yield Difference(check=CHECK, key=bill.number, what=what)


def compared(accounts: Accounts, told: Told, stored: Amounts, derived: Amounts | None) -> Iterator[Difference]:
    """Names each field that differs by the number of its document."""
    event = f"{told.kind.partition('.')[2]} #{told.seq}"
    key = name_of(accounts, told)
    if derived is None:
        yield Difference(check=CHECK, key=key, what=f"{event} rests on what history does not tell")
        return
    for name in sorted(stored.keys() | derived.keys()):
        if stored.get(name) != derived.get(name):
            what = f"{event}: {name} is {stored.get(name)}, and history gives {derived.get(name)}"
            yield Difference(check=CHECK, key=key, what=what)


def name_of(accounts: Accounts, told: Told) -> str:
    """The number of an invoice or credit note; anything else by its id."""
    if told.kind.startswith("Invoice."):
        bill = accounts.bills.get(told.id)
        return str(told.facts.get("number") or (bill.number if bill else told.id))
    return f"{told.kind.partition('.')[0]} {told.id}"


def derive(save: Sequence[Told], accounts: Accounts) -> Iterator[tuple[Told, Amounts | None]]:
    """The amounts of each event of a save, in the order in which they came about; None: they cannot be derived."""
    for together in as_it_came_about(save):
        try:
            request = requested(together, accounts)
        except LookupError:
            request = {}
        for told in together:
            try:
                yield told, request[told.seq] if told.seq in request else amounts_of(told, accounts)
            except LookupError:
                yield told, None
