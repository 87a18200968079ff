"""Why a consumer stops or waits: what it was promised does not hold, or what it needs is away for now."""

from __future__ import annotations

from uuid import UUID


class Ending(Exception):
    """Whoever carries events out ends here: trying again would not help."""


class Stop(Ending):
    """Going on would hide that something is missing or foreign; a person must look. Says what was found, and where."""


class SequenceGap(Stop):
    """The events of an organization do not follow each other."""

    def __init__(self, *, organization_id: UUID, expected: int, found: int, where: str) -> None:
        super().__init__(
            f"{where}: organization {organization_id} goes on with sequence {found}, and {expected} was expected; what"
            " is missing was removed, or never came: compare the topic with the ledger (`seatledger audit verify"
            " --topic`), mend it, then start the consumer again"
        )
        self.organization_id, self.expected, self.found = organization_id, expected, found


class OtherSource(Stop):
    """Events of another ledger, or of another epoch of it, whose positions cannot be compared with those known."""

    def __init__(self, *, consumer: str, known: str, found: str, where: str) -> None:
        super().__init__(
            f"{where} has an event of {found}, and {consumer} has read {known}: it is another ledger, or the ledger was"
            " restored from before; read it under another consumer's name, or replay from zero, which forgets the"
            " source that was known"
        )
        self.known, self.found = known, found


class MessageRefused(Stop):
    """A message that is no event of a ledger: a tombstone, or something that another program wrote."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}; see who else writes to the topic, then read another topic without it")
        self.why = why


class SourceUnsuited(Stop):
    """The topic or the feed is not what is promised, or does not let this consumer read."""


class NotInstalled(Stop):
    """The kit's tables are absent."""

    def __init__(self) -> None:
        super().__init__("the kit's tables are not in this database; call `install(connection)` first")


class Left(Ending):
    """Its share is another's now."""


class Fenced(Ending):
    """Somebody else has moved the place: another member of the group, or a replay. Read it again, and go on there."""


class Later(Exception):
    """Something is away for now, and no event is at fault: try again, for as long as it takes.

    A consumer may raise it for what it depends on itself.
    """

    def __init__(self, why: str, after_s: float | None = None) -> None:
        super().__init__(why)
        self.after_s = after_s  # not before; None where nobody says
