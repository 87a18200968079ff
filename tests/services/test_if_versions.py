"""A command that says what its caller has seen is carried out on that, or not at all."""

from uuid import UUID

from domain.payment_method import Expiry
from domain.refusals import ChangedMeanwhile, NotFound, PaymentActionRequired
from services.edit_payment_method import EditPaymentMethod
from services.resize_licenses import ResizeLicenses
from services.set_recurring_billing import SetRecurringBilling
from tests.services.contoso import Contoso
from tests.services.questions import at_once


def seen_of(contoso: Contoso, bought: UUID) -> dict[UUID, int]:
    subscription = contoso.subscription(bought)
    return {bought: subscription.version, subscription.pool_id: contoso.pool(bought).version}


def a_resize(contoso: Contoso, bought: UUID, total: int, seen: dict[UUID, int]) -> ResizeLicenses:
    return contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=total, if_versions=seen)


def test_what_was_seen_is_what_is_decided_on(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=5)
    seen = seen_of(contoso, bought)
    contoso.run(a_resize(contoso, bought, 6, seen))
    told = contoso.history()
    for total in (7, 4, 6):  # an increase, a removal, and what changes nothing
        with contoso.refuses(ChangedMeanwhile):
            contoso.run(a_resize(contoso, bought, total, seen))
    assert contoso.history() == told
    contoso.run(a_resize(contoso, bought, 7, seen_of(contoso, bought)))
    assert contoso.pool(bought).total == 7


def test_another_reason_to_refuse_comes_second(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=2)
    seen = seen_of(contoso, bought)
    contoso.assigns(bought, contoso.ben, contoso.melissa)
    with contoso.refuses(ChangedMeanwhile):
        contoso.run(a_resize(contoso, bought, 1, seen))  # fewer than are assigned


def test_a_repeat_is_answered_whatever_was_seen(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=5)
    command = a_resize(contoso, bought, 6, seen_of(contoso, bought))
    first = contoso.run(command)
    again = contoso.run(command)
    assert (again, first.repeated, again.repeated) == (first, False, True)
    assert contoso.run(command.model_copy(update={"if_versions": None})) == first


def test_of_many_who_have_seen_the_same_one_succeeds(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=5)
    seen = seen_of(contoso, bought)
    commands = [a_resize(contoso, bought, total, seen) for total in range(6, 14)]
    answers = at_once(*[lambda command=command: contoso.run(command) for command in commands])
    assert sum(isinstance(answer, ChangedMeanwhile) for answer in answers) == 7
    assert len(contoso.invoices()) == 2


def test_an_increase_that_was_begun_goes_on(contoso: Contoso) -> None:
    bought = contoso.buys(licenses=5)
    contoso.changes_card("tok_action_required")
    command = a_resize(contoso, bought, 6, seen_of(contoso, bought))
    with contoso.declines(PaymentActionRequired):
        contoso.run(command)
    payment = contoso.payments()[-1]
    contoso.sandbox.confirm(payment.id, payment.attempt)
    contoso.assigns(bought, contoso.ben)
    contoso.run(command)
    assert contoso.pool(bought).total == 6


def test_the_provider_is_not_asked_for_what_was_not_seen(contoso: Contoso) -> None:
    card = contoso.adds_card(contoso.melissa)
    content = {"payment_method_id": card, "expiry": Expiry(month=6, year=2031)}
    contoso.run(contoso.command(EditPaymentMethod, contoso.buyer, **content, if_versions={card: 1}))
    told = contoso.history()
    content["expiry"] = Expiry(month=7, year=2031)
    with contoso.refuses(ChangedMeanwhile):
        contoso.run(contoso.command(EditPaymentMethod, contoso.buyer, **content, if_versions={card: 1}))
    assert contoso.history() == told


def test_every_command_can_say_it(contoso: Contoso) -> None:
    bought = contoso.buys()
    seen = {bought: 99}
    off = contoso.command(SetRecurringBilling, contoso.buyer, subscription_id=bought, on=False, if_versions=seen)
    with contoso.refuses(ChangedMeanwhile):
        contoso.run(off)


def test_who_may_not_look_does_not_learn_that_it_is_there(contoso: Contoso) -> None:
    bought = contoso.buys()
    stranger = contoso.purchaser(contoso.ben)
    contoso.can_pay(contoso.ben)
    with contoso.refuses(NotFound):
        contoso.run(
            contoso.command(ResizeLicenses, stranger, subscription_id=bought, total=9, if_versions={bought: 99})
        )
