from uuid import uuid4

from services.buy_subscription import BuySubscription
from services.cancel_subscription import CancelSubscription
from services.command import Actor
from services.resize_licenses import ResizeLicenses
from tests.examples import CHRIS, OFFER, SUBSCRIPTION

KEY = b"of the tests"
BUYING = BuySubscription(
    organization_id=uuid4(),
    command_id=uuid4(),
    actor=Actor(id=CHRIS, role="purchaser"),
    offer_id=OFFER,
    licenses=3,
)


def test_the_name_is_what_one_does() -> None:
    assert BUYING.name == "buy_subscription"


def test_new_ids_are_the_same_at_every_attempt_and_differ_in_all_else() -> None:
    again = BuySubscription.model_validate(BUYING.model_dump())
    assert again.subscription_id == BUYING.subscription_id
    elsewhere = BUYING.model_copy(update={"organization_id": uuid4()})
    another = BUYING.model_copy(update={"command_id": uuid4()})
    ids = {one.new_id(role) for one in (BUYING, elsewhere, another) for role in ("subscription", "license_pool")}
    assert len(ids) == 6


def test_the_fingerprint_is_of_the_content() -> None:
    fingerprint = BUYING.fingerprint(KEY)
    assert BUYING.model_copy(update={"command_id": uuid4(), "causation_id": uuid4()}).fingerprint(KEY) == fingerprint
    for other in (
        {"licenses": 4},
        {"actor": Actor(id=CHRIS, role="admin")},
        {"actor": Actor(id=CHRIS, role="purchaser", on_behalf_of=CHRIS)},
        {"channel": "central"},
    ):
        assert BUYING.model_copy(update=other).fingerprint(KEY) != fingerprint


def test_the_fingerprint_is_of_the_kind_of_command_too() -> None:
    about = {"organization_id": uuid4(), "command_id": uuid4(), "actor": BUYING.actor, "subscription_id": SUBSCRIPTION}
    one = ResizeLicenses.model_validate({**about, "total": 3})

    class ShrinkLicenses(ResizeLicenses):
        pass

    renamed = ShrinkLicenses.model_validate({**about, "total": 3})
    assert one.fingerprint(KEY) != renamed.fingerprint(KEY)


def test_a_field_that_comes_later_does_not_change_it() -> None:
    """It is over the fields that the caller set: a default of a later release is none of them."""

    class BuySubscriptionLater(BuySubscription):
        promotion: str | None = None

        @property
        def name(self) -> str:
            return BUYING.name

    later = BuySubscriptionLater.model_validate(BUYING.model_dump(exclude_unset=True))
    assert later.fingerprint(KEY) == BUYING.fingerprint(KEY)
    assert later.model_copy(update={"promotion": "x"}).fingerprint(KEY) != BUYING.fingerprint(KEY)


def test_what_was_said_cannot_be_tried_out_without_the_key() -> None:
    cancelling = CancelSubscription.model_validate(
        {
            **BUYING.model_dump(include={"organization_id", "command_id", "actor"}),
            "subscription_id": SUBSCRIPTION,
            "when": "now",
            "reason": "other",
            "feedback": "yes",
        }
    )
    assert cancelling.fingerprint(KEY) != cancelling.fingerprint(b"another key")
    assert len(cancelling.fingerprint(KEY)) == 33  # a version and a sha256
