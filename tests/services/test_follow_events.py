from dataclasses import dataclass, field

import pytest
from pydantic import ValidationError

from domain.envelope import Role
from domain.refusals import NotAllowed
from services.command import Actor
from services.follow_events import Followed, FollowEvents, Seen, follow_events
from tests.examples import A_STRANGER
from tests.services.contoso import OPERATOR, SERVICE


@dataclass
class FeedOfNothing:
    asked: list[tuple[int, int]] = field(default_factory=list)

    def after(self, position: int, limit: int) -> Followed:
        self.asked.append((position, limit))
        return Followed([], Seen(1, position))


def test_services_and_operators_go_on_from_a_position() -> None:
    feed = FeedOfNothing()
    for actor in (SERVICE, OPERATOR):
        assert follow_events(feed, FollowEvents(actor=actor, after=7, limit=10)).seen == Seen(1, 7)
    assert feed.asked == [(7, 10)] * 2


@pytest.mark.parametrize("role", ["purchaser", "admin", "billing_reader", "auditor"])
def test_members_see_no_other_organizations_events(role: Role) -> None:
    feed = FeedOfNothing()
    with pytest.raises(NotAllowed, match="it takes the role service or operator"):
        follow_events(feed, FollowEvents(actor=Actor(id=A_STRANGER, role=role), after=0, limit=1))
    assert feed.asked == []


@pytest.mark.parametrize("wrong", [{"after": -1}, {"after": 2**63}, {"limit": 0}, {"limit": 1_001}])
def test_what_cannot_be_asked(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        FollowEvents.model_validate({"actor": SERVICE, "after": 0, "limit": 1, **wrong})
