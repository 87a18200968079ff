"""What a projection is: named, versioned tables, and a pure fold of history into their rows."""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, ClassVar, Generic, NamedTuple, TypeAlias, TypeVar

from domain.envelope import RecordedEvent
from domain.kernel import AggregateEvent

R = TypeVar("R", bound=tuple[Any, ...])
Key: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Table(Generic[R]):
    """A read table: its columns are the fields of the named tuple `row`, typed by their annotations.

    The key has at least two columns, the organization first. Between versions of a projection columns are only added:
    the code of an earlier release still reads the tables of a later one.
    """

    name: str
    row: type[R]
    key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...] = ()
    key_of: Any = field(init=False, repr=False)  # from a row to its key

    def __post_init__(self) -> None:
        object.__setattr__(self, "key_of", itemgetter(*(self.columns.index(name) for name in self.key)))

    @property
    def columns(self) -> tuple[str, ...]:
        return self.row._fields  # type: ignore[attr-defined,no-any-return]  # every row type is a NamedTuple


Touch: TypeAlias = tuple[Table[Any], Key]


class Unread(LookupError):
    """A fold asked for a row that its projection did not name as touched: a defect of the projection."""

    def __init__(self, table: Table[Any]) -> None:
        super().__init__(f"the fold reads a row of {table.name} that touched() does not name")


class Changes(NamedTuple):
    """What a batch does to one table."""

    inserted: list[Any]  # rows
    updated: list[Any]  # rows
    deleted: list[Key]

    def __bool__(self) -> bool:
        return any(self[:])


class Rows:
    """The working set of a batch: the rows as they were read, and as the fold leaves them.

    A row that is put under a key nobody read is a new one. That spares the look for every birth.
    """

    def __init__(self) -> None:
        self._before: defaultdict[Table[Any], dict[Key, Any]] = defaultdict(dict)  # None: looked for and not there
        self._now: defaultdict[Table[Any], dict[Key, Any]] = defaultdict(dict)  # None: deleted

    def have_read(self, table: Table[R], keys: Iterable[Key], found: Iterable[R]) -> None:
        """Takes in what reading `keys` has found."""
        self._before[table].update(dict.fromkeys(keys))
        self._before[table].update((table.key_of(row), row) for row in found)

    def get(self, table: Table[R], key: Key) -> R | None:
        now = self._now[table]
        if key in now:
            return now[key]  # type: ignore[no-any-return]
        try:
            return self._before[table][key]  # type: ignore[no-any-return]
        except KeyError:
            raise Unread(table) from None

    def put(self, table: Table[R], row: R) -> None:
        self._now[table][table.key_of(row)] = row

    def change(self, table: Table[R], key: Key, **values: Any) -> None:
        """Puts the row again with other values; nothing where there is no such row."""
        if (row := self.get(table, key)) is not None:
            self._now[table][key] = row._replace(**values)  # type: ignore[attr-defined]

    def delete(self, table: Table[R], key: Key) -> None:
        if self.get(table, key) is not None:
            self._now[table][key] = None

    def changes(self, table: Table[Any]) -> Changes:
        """What differs from what was read."""
        changes = Changes([], [], [])
        before = self._before[table]
        for key, row in self._now[table].items():
            was = before.get(key)
            if row is None:
                if was is not None:
                    changes.deleted.append(key)
            elif was is None:
                changes.inserted.append(row)
            elif row != was:
                changes.updated.append(row)
        return changes


class Projection(ABC):
    """A fold of history into read tables. Ids only: names are joined at query time.

    `version` rises with every change of what the fold answers; a new version is built beside the old one. Folding is
    pure: the same events from the beginning give the same rows, in batches of any size.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    topics: ClassVar[tuple[type[AggregateEvent], ...]]  # the events it folds; it never sees others
    tables: ClassVar[tuple[Table[Any], ...]]

    @abstractmethod
    def touched(self, recorded: RecordedEvent, event: Any) -> Iterator[Touch]:
        """The keys of the rows that folding this event reads, but for rows that are born by it."""

    @abstractmethod
    def fold(self, rows: Rows, recorded: RecordedEvent, event: Any) -> None:
        """Applies one event."""
