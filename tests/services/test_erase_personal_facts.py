from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, cast
from uuid import UUID

import pytest

from adapters.payments.sandbox_faults import Faults
from adapters.postgres.directory import PersonalDirectory
from domain.member import Member
from domain.payment_method import PaymentMethod
from domain.refusals import (
    MemberStillActive,
    NotFound,
    PaymentProviderUnavailable,
    PersonalFactsKept,
    StillCharged,
)
from services.change_bill_to import ChangeBillTo
from services.command import Actor, Command
from services.grant_profile_role import GrantProfileRole
from services.grant_role import GrantRole
from services.import_members import ImportMembers, MemberRow, import_members
from services.ledger import Ledger
from services.name_members import name_members
from services.ports_payments import CardRefused
from services.replace_payment_method import ReplacePaymentMethod
from services.show_invoice import ShowInvoice, show_invoice
from tests.services.contoso import Clock, Contoso
from tests.services.crash import Crash
from tests.services.forgetful import KEEP_YEARS, Forgetful
from tests.services.questions import (
    has_one_effect,
    is_done_once,
    just_before_the_save,
    takes_an_active_member,
    takes_one_of,
    tells_nothing,
)

ADDRESS = "7 Canary Row"


@pytest.fixture
def contoso(ledger: Ledger, directory: PersonalDirectory, clock: Clock) -> Forgetful:
    return cast("Forgetful", Forgetful.founded(ledger, directory, clock))


def gone(contoso: Forgetful) -> None:
    """Ben has left, and nothing was ever bought on his card."""
    contoso.opens_profile(contoso.ben, "tok_visa:ben", bill_to="Ben Andrews", address=ADDRESS)
    contoso.removes(contoso.ben)


def billed(contoso: Forgetful) -> None:
    """Ben bought something, was billed by name, and has left; the subscription ran out."""
    profile_id = contoso.opens_profile(contoso.ben, "tok_visa:ben", bill_to="Ben Andrews", address=ADDRESS)
    contoso.buys_centrally(contoso.ben)
    contoso.run(
        contoso.command(
            ChangeBillTo, contoso.purchaser(contoso.ben), billing_profile_id=profile_id, bill_to="Ben A. Andrews"
        )
    )
    contoso.removes(contoso.ben)
    contoso.advances(date(2025, 9, 30))


def is_forgotten_at_the_provider(contoso: Forgetful) -> None:
    """Ben's token was used, and there is no card of it any more."""
    with pytest.raises(CardRefused, match="token_already_used"):
        contoso.sandbox.store("tok_visa:ben", owner_id=contoso.ben, organization_id=contoso.organization_id)


def test_everything_goes_and_history_says_what_and_why(contoso: Forgetful) -> None:
    gone(contoso)
    facts = contoso.register.of_subject(contoso.organization_id, contoso.ben)
    (card,) = [method for method in contoso.every(PaymentMethod) if method.owner_id == contoso.ben]

    receipt = contoso.run(contoso.an_erasure(contoso.ben))

    erased, removed = contoso.ledger.told(contoso.organization_id, receipt)
    assert isinstance(erased, Member.PersonalDataErased)
    assert isinstance(removed, PaymentMethod.PaymentMethodRemoved)
    assert erased.reason == "asked_by_subject"
    assert {fact.fact_id for fact in erased.erased} == {stored.fact.fact_id for stored in facts}
    assert (erased.kept, erased.payment_method_ids) == ((), (card.id,))
    assert contoso.known_of(contoso.ben) == {}
    assert not any(stored.fact.value in str(erased) for stored in facts)
    is_forgotten_at_the_provider(contoso)


def test_the_list_outside_says_what_is_meant_before_it_is_recorded(contoso: Forgetful) -> None:
    gone(contoso)
    seen = []
    with just_before_the_save(contoso.ledger, lambda: seen.extend(contoso.erasures.meant)):
        receipt = contoso.run(contoso.an_erasure(contoso.ben))
    assert [len(erasure.fact_ids) for erasure in seen] == [len(contoso.erasures.meant[0].fact_ids)]
    assert contoso.erasures.positions == [receipt.position]


def test_nobody_else_is_touched(contoso: Forgetful) -> None:
    gone(contoso)
    others = [contoso.chris, contoso.cynthia, contoso.david, contoso.melissa]
    before = [contoso.known_of(one) for one in others]
    contoso.run(contoso.an_erasure(contoso.ben))
    assert [contoso.known_of(one) for one in others] == before
    assert all(before)


def test_a_repeat_is_answered_and_a_second_erasure_tells_nothing(contoso: Forgetful) -> None:
    gone(contoso)
    is_done_once(contoso, contoso.an_erasure(contoso.ben), reason="objected")
    assert len(contoso.erasures.meant) == 1
    tells_nothing(contoso, contoso.an_erasure(contoso.ben))
    contoso.removes(contoso.david)
    has_one_effect(contoso, contoso.an_erasure(contoso.david), events=1, times=4)


def test_what_was_cut_off_before_the_list_said_done_is_ended_before_it_is_answered(contoso: Forgetful) -> None:
    contoso.run(contoso.command(GrantRole, contoso.admin, member_id=contoso.melissa, role="admin"))
    contoso.removes(contoso.ben)
    melissa = Actor(id=contoso.melissa, role="admin")
    erasure = contoso.an_erasure(contoso.ben).model_copy(update={"actor": melissa})
    contoso.erasures.dies = True
    with pytest.raises(Crash):
        contoso.run(erasure)
    contoso.erasures.dies = False
    contoso.run(erasure)
    assert contoso.erasures.caught_up == 1
    contoso.removes(contoso.melissa)  # the answer comes back through a refusal
    contoso.run(erasure)
    assert (contoso.erasures.caught_up, len(contoso.erasures.meant)) == (2, 1)


def test_who_is_still_there_is_removed_first(contoso: Forgetful) -> None:
    contoso.deactivates(contoso.ben)
    for member in (contoso.ben, contoso.david):
        with contoso.refuses(MemberStillActive, member_id=str(member)):
            contoso.run(contoso.an_erasure(member))


def test_what_stands_on_an_invoice_is_kept_and_nothing_is_erased(contoso: Forgetful) -> None:
    billed(contoso)
    before = contoso.known_of(contoso.ben)
    with pytest.raises(PersonalFactsKept) as refused:
        contoso.run(contoso.an_erasure(contoso.ben))
    last = max(invoice.issued_on for invoice in contoso.invoices())
    assert refused.value.facts["keep_until"] == f"{last.year + KEEP_YEARS}-12-31"
    assert {one["purpose"] for one in refused.value.facts["kept"]} == {"bill_to_name", "bill_to_address"}
    assert contoso.known_of(contoso.ben) == before
    assert contoso.erasures.meant == []


def test_what_may_go_goes_on_demand(contoso: Forgetful) -> None:
    billed(contoso)
    invoice, *_ = contoso.invoices()

    receipt = contoso.run(contoso.an_erasure(contoso.ben, what_may_go=True))

    erased = contoso.ledger.told(contoso.organization_id, receipt)[0]
    kept = {(fact.purpose, fact.keep_until.year) for fact in erased.kept}
    assert kept == {("bill_to_name", 2025 + KEEP_YEARS), ("bill_to_address", 2025 + KEEP_YEARS)}
    assert {fact.number for fact in erased.kept} >= {invoice.number}
    assert contoso.known_of(contoso.ben).keys() == {"bill_to_name", "bill_to_address"}
    shown = show_invoice(
        contoso.ledger,
        contoso.directory,
        ShowInvoice(organization_id=contoso.organization_id, actor=contoso.admin, invoice_id=invoice.id),
    )
    assert shown.bill_to == ("Ben Andrews", ADDRESS)
    tells_nothing(contoso, contoso.an_erasure(contoso.ben, what_may_go=True))


def test_when_its_time_has_come_the_rest_goes_too(contoso: Forgetful) -> None:
    billed(contoso)
    contoso.run(contoso.an_erasure(contoso.ben, what_may_go=True))
    for day, erasable in (
        (datetime(2035, 12, 31, 23, 59, tzinfo=UTC), False),
        (datetime(2036, 1, 1, tzinfo=UTC), True),
    ):
        contoso.clock.now = day
        if erasable:
            contoso.run(contoso.an_erasure(contoso.ben))
        else:
            with pytest.raises(PersonalFactsKept):
                contoso.run(contoso.an_erasure(contoso.ben))
    assert contoso.known_of(contoso.ben) == {}


def test_a_bill_to_that_no_invoice_was_made_out_to_is_not_kept(contoso: Forgetful) -> None:
    billed(contoso)
    contoso.run(contoso.an_erasure(contoso.ben, what_may_go=True))
    facts = contoso.register.of_subject(contoso.organization_id, contoso.ben)
    assert sorted(stored.fact.value for stored in facts) == [ADDRESS, "Ben Andrews"]


def test_a_card_with_which_something_is_left_to_charge_stays(contoso: Forgetful) -> None:
    profile_id = contoso.can_pay(contoso.ben)
    contoso.buys_centrally(contoso.ben)
    contoso.removes(contoso.ben)
    with contoso.refuses(StillCharged, billing_profile_id=str(profile_id)):
        contoso.run(contoso.an_erasure(contoso.ben))
    assert contoso.known_of(contoso.ben)
    contoso.advances(date(2025, 9, 30))
    contoso.run(contoso.an_erasure(contoso.ben, what_may_go=True))


def test_an_own_profile_on_which_somebody_else_pays_is_still_charged_too(contoso: Forgetful) -> None:
    profile_id = contoso.can_pay(contoso.ben)
    contoso.buys_centrally(contoso.ben)
    for kind, actor_id, content in (
        (GrantProfileRole, contoso.ben, {"member_id": contoso.david, "role": "contributor"}),
        (ReplacePaymentMethod, contoso.david, {"payment_method_id": contoso.adds_card(contoso.david)}),
    ):
        contoso.run(contoso.command(kind, contoso.purchaser(actor_id), billing_profile_id=profile_id, **content))
    contoso.removes(contoso.ben)
    with contoso.refuses(StillCharged, billing_profile_id=str(profile_id)):
        contoso.run(contoso.an_erasure(contoso.ben))
    contoso.advances(date(2025, 9, 30))
    contoso.run(contoso.an_erasure(contoso.ben, what_may_go=True))


def test_a_provider_that_did_not_answer_is_asked_again(contoso: Forgetful) -> None:
    gone(contoso)
    erasure = contoso.an_erasure(contoso.ben)
    contoso.sandbox.script(Faults().lost_request("forget"))
    with pytest.raises(PaymentProviderUnavailable):
        contoso.run(erasure)
    assert contoso.known_of(contoso.ben) == {}
    contoso.run(contoso.an_erasure(contoso.ben))  # also by another command
    is_forgotten_at_the_provider(contoso)


def test_who_comes_back_meanwhile_stays_known(contoso: Forgetful) -> None:
    contoso.removes(contoso.ben)
    (name,) = [value for purpose, value in contoso.known_of(contoso.ben).items() if purpose == "user_name"]
    back = contoso.running(ImportMembers, contoso.admin, rows=(MemberRow(user_name=name),))
    with just_before_the_save(contoso.ledger, back), pytest.raises(MemberStillActive):
        contoso.run(contoso.an_erasure(contoso.ben))
    assert contoso.known_of(contoso.ben)


def test_an_import_during_an_erasure_brings_nobody_back_without_a_name(contoso: Forgetful) -> None:
    contoso.removes(contoso.ben)
    name = contoso.known_of(contoso.ben)["user_name"]

    class ErasedMeanwhile(PersonalDirectory):
        def member_ids(self, *asked: Any) -> Mapping[str, UUID]:
            found = directory.member_ids(*asked)
            contoso.run(contoso.an_erasure(contoso.ben))
            return found

    directory, another = contoso.register, ErasedMeanwhile(contoso.register._datastore)
    back = contoso.command(ImportMembers, contoso.admin, rows=(MemberRow(user_name=name),))
    import_members(contoso.ledger, back, another)
    assert contoso.ledger.member(contoso.organization_id, contoso.ben).status == "removed"
    (known,) = directory.member_ids(contoso.organization_id, [name]).values()
    assert known != contoso.ben
    assert contoso.known_of(contoso.ben) == {}


def test_a_name_that_was_erased_is_free_for_somebody_else(contoso: Forgetful) -> None:
    contoso.removes(contoso.ben)
    name = contoso.known_of(contoso.ben)["user_name"]
    contoso.run(contoso.an_erasure(contoso.ben))
    (another,) = contoso.imports(MemberRow(user_name=name))
    assert another != contoso.ben


def test_where_a_name_would_be_it_says_erased(contoso: Forgetful) -> None:
    contoso.removes(contoso.ben)
    contoso.run(contoso.an_erasure(contoso.ben))
    wish = contoso.an_erasure(contoso.ben)
    names = name_members(contoso.directory, wish, [contoso.ben, contoso.chris])
    assert names[contoso.ben]["user_name"] == "[erased]"
    assert names[contoso.chris]["user_name"] == "chris@contoso.com"


def test_admins_and_operators_of_this_organization_erase(contoso: Forgetful, another: Contoso) -> None:
    (leaver,) = contoso.imports(MemberRow(user_name="leaver@contoso.com"))
    contoso.removes(leaver)

    def by(actor: Actor) -> Command:
        return contoso.an_erasure(leaver).model_copy(update={"actor": actor})

    takes_one_of(contoso, {"admin", "operator"}, by)
    takes_an_active_member(contoso, another, by)
    with contoso.refuses(NotFound, what="member", key=str(another.ben)):
        contoso.run(contoso.an_erasure(another.ben))


def test_what_was_known_before_goes_too(contoso: Forgetful) -> None:
    name = contoso.known_of(contoso.david)["user_name"]
    for title in range(3):
        contoso.imports(MemberRow(user_name=name, job_title=f"title {title}"))
    contoso.removes(contoso.david)
    known = len(contoso.register.of_subject(contoso.organization_id, contoso.david))
    receipt = contoso.run(contoso.an_erasure(contoso.david))
    assert len(contoso.ledger.told(contoso.organization_id, receipt)[0].erased) == known
    assert contoso.known_of(contoso.david) == {}
