from typing import cast
from uuid import UUID

import pytest

from adapters.postgres.directory import PersonalDirectory
from adapters.postgres.reads import ReadModels
from adapters.postgres.reads_billing import BillingReads
from adapters.postgres.reads_invoices import InvoiceReads
from adapters.postgres.reads_purchases import PurchaseReads
from domain.member import Member
from domain.personal import commitment_of
from domain.refusals import NotAllowed, NotFound
from services.command import Actor
from services.disclose_fact import DiscloseFact, disclose_fact
from services.export_personal_facts import ExportParts, ExportPersonalFacts, PersonalExport, export_personal_facts
from services.ledger import Ledger
from tests.services.contoso import OPERATOR, Clock
from tests.services.forgetful import Forgetful


@pytest.fixture
def contoso(ledger: Ledger, directory: PersonalDirectory, clock: Clock) -> Forgetful:
    return cast("Forgetful", Forgetful.founded(ledger, directory, clock))


@pytest.fixture
def parts(contoso: Forgetful, read_models: ReadModels) -> ExportParts:
    return ExportParts(
        register=contoso.register,
        purchases=PurchaseReads(read_models),
        billing=BillingReads(read_models),
        invoices=InvoiceReads(read_models),
        holdings=contoso.holdings,
    )


def exporting(contoso: Forgetful, member_id: UUID, by: Actor | None = None) -> ExportPersonalFacts:
    return contoso.command(ExportPersonalFacts, by or contoso.admin, member_id=member_id)


def exported(contoso: Forgetful, parts: ExportParts, member_id: UUID, by: Actor | None = None) -> PersonalExport:
    return export_personal_facts(contoso.ledger, exporting(contoso, member_id, by), parts)


def test_everything_that_is_known_of_who_bought_is_in_it(contoso: Forgetful, parts: ExportParts) -> None:
    contoso.opens_profile(contoso.melissa, bill_to="Melissa Doe")
    bought = contoso.buys()
    contoso.assigns(bought, contoso.melissa, contoso.ben)

    found = exported(contoso, parts, contoso.melissa, by=contoso.buyer)

    known = contoso.register.of_subject(contoso.organization_id, contoso.melissa)
    assert {fact.fact_id for fact in found.facts} == {stored.fact.fact_id for stored in known}
    assert {"user_name", "display_name", "bill_to_name"} <= {fact.purpose for fact in found.facts}
    assert [one.subscription_id for one in found.purchases] == [bought]
    assert [one.subscription_id for one in found.licenses] == [bought]
    assert [one.number for one in found.invoices] == [invoice.number for invoice in contoso.invoices()]
    assert list(found.profile_roles.values()) == ["owner"]
    assert [one.last4 for one in found.payment_methods] == ["4242"]
    assert [one.event for one in found.history] == ["Member.MemberAdded", "Member.PersonalDataExported"]
    assert found.facts[0].told_at == contoso.now


def test_a_value_in_it_can_be_disclosed_to_an_auditor(contoso: Forgetful, parts: ExportParts) -> None:
    fact = exported(contoso, parts, contoso.ben).facts[0]
    salt = bytes.fromhex(fact.salt)
    assert commitment_of(fact_id=fact.fact_id, salt=salt, value=fact.value) == fact.commitment
    query = DiscloseFact(
        organization_id=contoso.organization_id,
        actor=OPERATOR,
        fact_id=fact.fact_id,
        value=fact.value,
        salt=fact.salt,
    )
    assert disclose_fact(contoso.ledger, contoso.register, query).matches


def test_it_is_recorded_before_it_is_answered_once_for_each_command(contoso: Forgetful, parts: ExportParts) -> None:
    command = exporting(contoso, contoso.ben)
    first = export_personal_facts(contoso.ledger, command, parts)
    (told,) = contoso.ledger.told(contoso.organization_id, contoso.recorded_receipt(command))
    assert isinstance(told, Member.PersonalDataExported)
    assert told.facts == len(first.facts)
    assert export_personal_facts(contoso.ledger, command, parts) == first
    exported(contoso, parts, contoso.ben)
    assert len([one for one in contoso.history() if one.topic == Member.PersonalDataExported.TOPIC]) == 2


def test_who_was_erased_has_nothing_left_in_it(contoso: Forgetful, parts: ExportParts) -> None:
    contoso.removes(contoso.ben)
    contoso.run(contoso.an_erasure(contoso.ben))
    found = exported(contoso, parts, contoso.ben)
    assert (found.facts, found.status) == ((), "removed")


def test_members_export_themselves_and_admins_and_operators_everybody(contoso: Forgetful, parts: ExportParts) -> None:
    for actor in (contoso.admin, OPERATOR, contoso.purchaser(contoso.ben)):
        assert exported(contoso, parts, contoso.ben, by=actor).member_id == contoso.ben
    with contoso.refuses(NotFound, what="member", key=str(contoso.ben)):
        exported(contoso, parts, contoso.ben, by=contoso.purchaser(contoso.david))
    for role in ("auditor", "service", "billing_reader"):
        actor = contoso.by(role)
        with contoso.refuses(NotAllowed):
            exported(contoso, parts, contoso.ben, by=actor)
