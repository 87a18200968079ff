"""Erase: what is known of a person who has left goes, and history says what went, by whom and why."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from domain.billing_profile import BillingProfile
from domain.calendar import utc_date
from domain.member import Member
from domain.payment_method import PaymentMethod
from domain.personal import ErasureReason
from domain.refusals import PaymentProviderUnavailable, StillCharged
from domain.subscription import WITH_ACCESS
from services.command import Command
from services.fact_origins import sort_by_retention
from services.ledger import Ledger, operation
from services.may import may, standing_of
from services.ports import Receipt
from services.ports_payments import GatewayUnavailable
from services.ports_privacy import Erasure, ErasureList, FactRegister
from services.ports_reads import PAGE, BillingViews
from services.till import Till


class ErasePersonalFacts(Command):
    """`what_may_go`: where some must be kept, the others go; else nothing does."""

    member_id: UUID
    reason: ErasureReason
    what_may_go: bool = False


def erase_personal_facts(
    ledger: Ledger,
    command: ErasePersonalFacts,
    register: FactRegister,
    billing_views: BillingViews,
    *,
    erasures: ErasureList,
    till: Till,
    keep_years: int,
) -> Receipt:
    """Here first, then at the provider, which is asked again by every erasure of the same person."""
    receipt = _erase(ledger, command, register, billing_views, erasures=erasures, keep_years=keep_years)
    if receipt.repeated:
        erasures.catch_up()  # who saved it may have died before the list said that it was done
    try:
        for method in forgotten_methods(ledger, command):
            till.gateway.forget(method.card.token)
    except GatewayUnavailable:
        raise PaymentProviderUnavailable(asked_to="forget") from None  # the same command again forgets it there
    return receipt


@operation
def _erase(
    ledger: Ledger,
    command: ErasePersonalFacts,
    register: FactRegister,
    billing_views: BillingViews,
    *,
    erasures: ErasureList,
    keep_years: int,
) -> Receipt:
    """One save: the events, and the facts are gone. Before it the list outside the database says what is meant."""
    standing = standing_of(ledger, command)
    may(command.actor, "erase personal facts")
    if receipt := ledger.answer_of(command):
        return receipt
    organization_id = command.organization_id
    member = ledger.member(organization_id, command.member_id)
    member.refuse_unless_removed()
    at = ledger.now(standing.organization, member)
    facts = register.of_subject(organization_id, member.id)
    found = sort_by_retention(ledger, organization_id, facts, today=utc_date(at), keep_years=keep_years)
    removed_at = ledger.history.load_events(organization_id, member.id)[-1].position
    methods, charged_by = forgettable(
        ledger, organization_id, methods_of(ledger, billing_views, organization_id, member.id, removed_at)
    )
    owned = list(owned_by(ledger, billing_views, organization_id, member.id, removed_at))
    for profile in owned:
        refuse_charging(ledger, organization_id, profile, profile.payment_method_id)
    member.erase(
        found.erasable,
        kept=found.kept,
        what_may_go=command.what_may_go,
        payment_method_ids=[method.id for method in methods],
        reason=command.reason,
    )
    at = ledger.now(standing.organization, member, *methods)
    told, seen = [member, *methods], [*standing.seen, *found.profiles, *charged_by, *owned]
    if not member.pending_events:
        return ledger.save(*told, seen=seen, because=command, at=at)
    fact_ids = [fact.fact_id for fact in found.erasable]
    with erasures.meaning(Erasure(organization_id, command.command_id, command.reason, fact_ids)) as intent:
        receipt = ledger.save(*told, seen=seen, erasing=fact_ids, because=command, at=at)
        intent.done(receipt.position)
    return receipt


def methods_of(
    ledger: Ledger, billing_views: BillingViews, organization_id: UUID, member_id: UUID, removed_at: int
) -> Iterator[PaymentMethod]:
    """The member's stored cards; who was removed adds none, so what stood at the removal is all there will be."""
    after: UUID | None = None
    while True:
        page = billing_views.payment_methods(organization_id, member_id, after=after, at_least=removed_at)
        for row in page:
            method = ledger.payment_method(organization_id, row.payment_method_id)
            if not method.removed:
                yield method
        if len(page) < PAGE:
            return
        after = page[-1].payment_method_id


def owned_by(
    ledger: Ledger, billing_views: BillingViews, organization_id: UUID, member_id: UUID, removed_at: int
) -> Iterator[BillingProfile]:
    """The member's own profiles, whoever's card pays on them; likewise there will be no more."""
    after: UUID | None = None
    while page := billing_views.profiles(organization_id, seen_by=member_id, after=after, at_least=removed_at):
        for row in page:
            if row.owner_id == member_id:
                yield ledger.billing_profile(organization_id, row.billing_profile_id)
        after = page[-1].billing_profile_id


def refuse_charging(ledger: Ledger, organization_id: UUID, profile: BillingProfile, payment_method_id: UUID) -> None:
    """Refuses where a profile has something left to charge: it would be billed to nobody."""
    subscriptions = [ledger.subscription(organization_id, one) for one in profile.subscriptions]
    invoices = [ledger.invoice(organization_id, one) for one in profile.open_invoices]
    charged = any(one.life in WITH_ACCESS for one in subscriptions)
    if charged or not all(invoice.wants_nothing for invoice in invoices):
        raise StillCharged(payment_method_id=payment_method_id, billing_profile_id=profile.id)


def forgettable(
    ledger: Ledger, organization_id: UUID, methods: Iterator[PaymentMethod]
) -> tuple[Sequence[PaymentMethod], Sequence[BillingProfile]]:
    """Cards with which nothing is left to charge, as removed, and the profiles that name them."""
    forgotten, charging = [], []
    for method in methods:
        for profile in [ledger.billing_profile(organization_id, one) for one in method.charged_by]:
            refuse_charging(ledger, organization_id, profile, method.id)
            charging.append(profile)
        method.forget()
        forgotten.append(method)
    return forgotten, charging


def forgotten_methods(ledger: Ledger, command: ErasePersonalFacts) -> Iterator[PaymentMethod]:
    """The cards that went with an erasure of this person, of now or of before."""
    for stored in ledger.history.load_events(command.organization_id, command.member_id):
        told = ledger.mapper.to_domain_event(stored)
        if isinstance(told, Member.PersonalDataErased):
            for method_id in told.payment_method_ids:
                yield ledger.payment_method(command.organization_id, method_id)
