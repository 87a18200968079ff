"""As of: a moment of history, by when it was known, by when it took effect, or by both."""

from datetime import UTC, datetime, timedelta

from pydantic import AwareDatetime

from domain.envelope import RecordedEvent
from domain.kernel import Value

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EVER = 2**63 - 1  # after every position and every time
MICROSECOND = timedelta(microseconds=1)


class AsOf(Value):
    """Which events count: those that were known then, and of them those that had taken effect then.

    `known` is a position or a time of recording: "as we knew it on 1 March". History up to there is a prefix of what
    it is today, so an aggregate is what it really was. None: everything that is known now.

    `effective_at` is a business time: "as it was on 1 March". An event takes effect when it was decided; a step of the
    life cycle at the beginning of the day on which it was due, however late the run came that recorded it. None: all
    that is known has taken effect.

    The order in which the events of an aggregate take effect need not be the order of its versions: a run of 7 March
    may record the renewal of 3 March after the license that somebody who left on 5 March lost. What counts is then
    folded in the order of versions, which is the order in which things were decided, and a version that takes effect
    later is passed over: on 4 March the renewal has happened, and the license is still held. Events carry both sides
    of what they change, so that each says what it changes without those in front of it, and no late step takes back
    what took effect after its day: whoever decides something takes the due steps first. Nothing counts before the
    first version does, for nothing is there before it is born.
    """

    known: int | AwareDatetime | None = None
    effective_at: AwareDatetime | None = None

    @property
    def position(self) -> int:
        """The last position that is known."""
        return self.known if isinstance(self.known, int) else EVER

    @property
    def recorded_by(self) -> int:
        """The last time of recording that is known, in microseconds since 1970."""
        return microseconds(self.known) if isinstance(self.known, datetime) else EVER

    @property
    def effective_by(self) -> int:
        """The last time at which what counts has taken effect, in microseconds since 1970."""
        return EVER if self.effective_at is None else microseconds(self.effective_at)

    def knows(self, event: RecordedEvent) -> bool:
        """Whether the event stood in history; once one does not, none after it does."""
        return event.position <= self.position and event.recorded_at <= self.recorded_by

    def counts(self, event: RecordedEvent) -> bool:
        """Whether the event was known and had taken effect."""
        if not self.knows(event):
            return False
        return self.effective_at is None or event.effective_at <= self.effective_at


def microseconds(moment: datetime) -> int:
    """Since 1970, as the ledger counts them."""
    return (moment - EPOCH) // MICROSECOND
