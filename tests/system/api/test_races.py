"""Many clients let go together, over real HTTP: what must not both come true does not, and what must, does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.adapters.http.conftest import Api
from tests.services.questions import at_once
from tests.system.api.house import Contoso, RunningHouse

ROUNDS = 5
CLIENTS = 12
POWER_BI_PRO = "CFQ7TTC0H9MP"
REPLAYED = "Idempotency-Replayed"

Ask = Callable[[], httpx.Response]


def asking(api: Api, method: str, path: str, body: Any = None, **more: Any) -> Ask:
    content = {"json": body} if body is not None else {}
    return partial(api.ask, method, path, **content, **more)


def let_go(*asks: Ask) -> list[httpx.Response]:
    """What each is answered when all ask at the same moment."""
    answers = at_once(*asks)
    assert all(isinstance(answer, httpx.Response) for answer in answers)
    return answers  # type: ignore[return-value]


def outcome(answer: httpx.Response) -> str:
    """`done`, or the code of the problem."""
    return "done" if answer.is_success else str(answer.json()["code"])


def outcomes(answers: list[httpx.Response]) -> Counter[str]:
    return Counter(map(outcome, answers))


def never_after(contoso: Contoso, late: str, end: str) -> None:
    """Nothing of this kind stands in history after what ended it."""
    told = contoso.told()
    assert end in told
    assert late not in told[told.index(end) :], told


@pytest.fixture(params=range(ROUNDS))
def contoso(house: RunningHouse) -> Contoso:
    """A new one for each round."""
    return house.contoso()


def test_the_last_licenses_go_to_as_many_as_there_are(contoso: Contoso) -> None:
    subscription = contoso.buys(licenses=4)
    users = contoso.imports(CLIENTS)
    path = f"/subscriptions/{subscription}/assignments"
    answers = let_go(*(asking(contoso.ben, "POST", path, {"user_ids": [user]}) for user in users))
    assert outcomes(answers) == {"done": 4, "not_enough_licenses": CLIENTS - 4}
    got = {user for user, answer in zip(users, answers, strict=True) if answer.is_success}
    assert set(contoso.holders(subscription)) == got
    assert contoso.told().count("LicenseAssigned") == 4


def test_one_key_is_one_effect_and_one_answer(contoso: Contoso) -> None:
    """The answer is the same byte for byte; one of them is the first."""
    bought = asking(contoso.ben, "POST", "/subscriptions", contoso.order, key=str(uuid4()))
    answers = let_go(*[bought] * CLIENTS)
    assert len({(answer.status_code, answer.content, answer.headers["Location"]) for answer in answers}) == 1
    assert answers[0].status_code == 201
    assert sum(answer.headers.get(REPLAYED) is None for answer in answers) == 1
    assert contoso.told().count("SubscriptionPurchased") == 1
    assert contoso.told().count("PaymentCaptured") == 1


def test_one_tag_is_good_for_one_change(contoso: Contoso) -> None:
    subscription = contoso.buys(licenses=3)
    tag = contoso.ben.tag(f"/subscriptions/{subscription}")
    path = f"/subscriptions/{subscription}/licenses"
    resizes = (asking(contoso.ben, "PUT", path, {"total": 10 + number}, tag=tag) for number in range(CLIENTS))
    answers = let_go(*resizes)
    assert outcomes(answers) == {"done": 1, "changed_meanwhile": CLIENTS - 1}
    assert {answer.status_code for answer in answers} == {200, 412}
    total = next(10 + number for number, answer in enumerate(answers) if answer.is_success)
    assert contoso.shown(subscription)["licenses_total"] == total
    assert contoso.told().count("LicensesResized") == 1


def test_assigning_to_members_who_are_being_removed(contoso: Contoso) -> None:
    subscription = contoso.buys(licenses=CLIENTS)
    users = contoso.imports(CLIENTS // 2)
    path = f"/subscriptions/{subscription}/assignments"
    assigns = [asking(contoso.ben, "POST", path, {"user_ids": [user]}) for user in users]
    removes = [asking(contoso.chris, "DELETE", f"/members/{user}") for user in users]
    answers = let_go(*assigns, *removes)
    assert set(outcomes(answers[: len(users)])) <= {"done", "user_not_in_organization"}
    assert set(outcomes(answers[len(users) :])) == {"done"}
    assert contoso.holders(subscription) == []
    assert contoso.told().count("LicenseAssigned") == contoso.told().count("LicenseUnassigned")


def test_resizing_what_is_being_cancelled(contoso: Contoso) -> None:
    subscription = contoso.buys(licenses=3)
    path = f"/subscriptions/{subscription}"
    resizes = [
        asking(contoso.ben, "PUT", f"{path}/licenses", {"total": 5 + number}, tag="*") for number in range(CLIENTS - 1)
    ]
    cancel = asking(contoso.ben, "POST", f"{path}/cancellation", {"when": "now", "reason": "other"})
    *resized, cancelled = let_go(*resizes, cancel)
    assert set(outcomes(resized)) <= {"done", "subscription_not_active"}
    assert outcome(cancelled) == "done"
    never_after(contoso, "LicensesResized", "SubscriptionCancelled")


def test_buying_while_the_policy_is_turned_off(contoso: Contoso) -> None:
    buys = [asking(contoso.ben, "POST", "/subscriptions", contoso.order) for _ in range(CLIENTS - 1)]
    off = asking(contoso.chris, "PUT", f"/policies/{POWER_BI_PRO}", {"policy": "Disabled"}, tag="*")
    *bought, turned_off = let_go(*buys, off)
    assert set(outcomes(bought)) <= {"done", "self_service_disabled"}
    assert outcome(turned_off) == "done"
    never_after(contoso, "SubscriptionPurchased", "SelfServicePolicySet")
    assert contoso.told().count("SubscriptionPurchased") == outcomes(bought)["done"]


def test_assigning_by_a_purchaser_who_is_being_deactivated(contoso: Contoso) -> None:
    subscription = contoso.buys(licenses=CLIENTS)
    users = contoso.imports(CLIENTS - 1)
    path = f"/subscriptions/{subscription}/assignments"
    assigns = [asking(contoso.ben, "POST", path, {"user_ids": [user]}) for user in users]
    deactivate = asking(contoso.chris, "POST", f"/members/{contoso.members['ben']}/deactivation")
    *assigned, deactivated = let_go(*assigns, deactivate)
    assert set(outcomes(assigned)) <= {"done", "member_not_active"}
    assert outcome(deactivated) == "done"
    never_after(contoso, "LicenseAssigned", "MemberDeactivated")
