"""Rebuild = live, and both say what the aggregates say, for any history."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.billing_profile import BillingProfile
from domain.invoice import Invoice
from domain.license_pool import LicensePool
from domain.member import Member
from domain.payment import Payment
from domain.payment_method import PaymentMethod
from domain.subscription import Subscription
from projections.assignments import ASSIGNMENTS, CLOSED_POOLS, PAST_ASSIGNMENTS, Assignments
from projections.billing_profiles import CARDS, PROFILE_ROLES, PROFILES, BillingProfiles
from projections.due_subscriptions import DUE_SUBSCRIPTIONS
from projections.due_work import DUE_WORK, LEAVERS, DueWork
from projections.invoice_history import CREDIT_NOTES, INVOICES, InvoiceHistory
from projections.payments import MOVEMENTS, PAYMENTS, Payments
from projections.projection import Projection
from projections.purchases import PURCHASES, REMOVED_MEMBERS, Purchases
from projections.read_models import READ_MODELS
from services.books import open_all_books
from services.due_steps import DueSteps
from services.ports_reads import DueProfile
from tests.projections.billed_story import STEPS, BilledStory, Step, midnight
from tests.projections.histories import ReadModel

LAWS = settings(max_examples=25, deadline=None)


def told(steps: list[Step]) -> BilledStory:
    story = BilledStory()
    for step in steps:
        story.goes_on(step)
    return story


def by_id(model: ReadModel, table: Any) -> dict[UUID, Any]:
    return {row[1]: row for row in model[table]}


@LAWS
@given(STEPS, st.data())
def test_a_rebuild_in_batches_of_any_size_equals_the_live_fold(steps: list[Step], data: st.DataObject) -> None:
    events = told(steps).history
    cuts = sorted(data.draw(st.sets(st.integers(0, len(events)), max_size=5)))
    for projection in READ_MODELS:
        live = ReadModel(projection)
        for event in events:
            live.fold([event])
        rebuilt = ReadModel(projection)
        for start, end in zip([0, *cuts], [*cuts, len(events)], strict=True):
            rebuilt.fold(events[start:end])
        assert rebuilt.tables == live.tables


@LAWS
@given(STEPS)
def test_the_read_models_say_what_the_aggregates_say(steps: list[Step]) -> None:
    story = told(steps)
    contoso = story.contoso

    def model(projection: Projection) -> ReadModel:
        return ReadModel(projection).fold(story.history)

    purchases_agree(model(Purchases()), contoso.every(Subscription), contoso.every(LicensePool))
    assignments_agree(model(Assignments()), contoso.every(LicensePool))
    invoices_agree(model(InvoiceHistory()), contoso.every(Invoice))
    profiles_agree(model(BillingProfiles()), contoso.every(BillingProfile), contoso.every(PaymentMethod))
    payments_agree(model(Payments()), contoso.every(Payment))
    removed = {member.id for member in contoso.every(Member) if member.status == "removed"}
    assert set(by_id(model(Purchases()), REMOVED_MEMBERS)) == removed
    releases = {row.subject_id for row in model(DueWork())[DUE_WORK] if row.kind == "release_licenses"}
    assert releases == removed


def purchases_agree(model: ReadModel, subscriptions: list[Subscription], pools: list[LicensePool]) -> None:
    rows, of_pool = by_id(model, PURCHASES), {pool.subscription_id: pool for pool in pools}
    assert rows.keys() == {subscription.id for subscription in subscriptions}
    for one in subscriptions:
        row, pool = rows[one.id], of_pool[one.id]
        assert (row.state, row.recurring_billing) == (one.life, one.recurring_billing)
        assert (row.purchaser_id, row.channel) == (one.purchaser_id, one.channel)
        assert (row.billing_profile_id, row.replaced_by_id) == (one.billing_profile_id, one.replaced_by_id)
        assert (row.cancellation_scheduled, row.scheduled_total) == (one.cancellation_scheduled, one.scheduled_total)
        assert (row.term_start, row.term_end) == (one.term.start, one.term.end)
        assert (row.offer_id, row.unit_price_minor) == (one.price.offer_id, one.price.unit_price_minor)
        assert (row.licenses_total, row.licenses_assigned) == (pool.total, pool.assigned)
        assert row.charged_until == pool.charged_until


def assignments_agree(model: ReadModel, pools: list[LicensePool]) -> None:
    closed = by_id(model, CLOSED_POOLS)
    for pool in pools:
        held = sorted((row for row in model[ASSIGNMENTS] if row.pool_id == pool.id), key=lambda row: row.assigned_seq)
        assert (pool.id in closed) == pool.closed
        assert pool.closed or [row.member_id for row in held] == list(pool.holders)
    for past in model[PAST_ASSIGNMENTS]:
        assert past.assigned_at <= past.unassigned_at


def invoices_agree(model: ReadModel, invoices: list[Invoice]) -> None:
    rows = by_id(model, INVOICES)
    assert rows.keys() == {invoice.id for invoice in invoices}
    for one in invoices:
        row = rows[one.id]
        assert (row.number, row.state, row.total_minor) == (one.number, one.status, one.total_minor)
        assert (row.credited_minor, row.paid_minor, row.due_minor) == (
            one.credited_minor,
            one.paid_minor,
            one.due_minor,
        )
        notes = [note for note in model[CREDIT_NOTES] if note.invoice_id == one.id]
        assert sum(note.total_minor for note in notes) == one.credited_minor


def profiles_agree(model: ReadModel, profiles: list[BillingProfile], methods: list[PaymentMethod]) -> None:
    rows, cards = by_id(model, PROFILES), by_id(model, CARDS)
    for one in profiles:
        row = rows[one.id]
        assert (row.payment_method_id, row.balance_minor) == (one.payment_method_id, one.balance_minor)
        assert (row.subscriptions, row.invoices) == (len(one.subscriptions), one.invoices)
        assert row.credit_notes == one.credit_notes
        roles = {role.member_id: role.role for role in model[PROFILE_ROLES] if role.billing_profile_id == one.id}
        assert roles == {one.owner_id: "owner", **one.roles}
    for method in methods:
        card = cards[method.id]
        assert (card.charged_by, card.state == "removed") == (len(method.charged_by), method.removed)


def payments_agree(model: ReadModel, payments: list[Payment]) -> None:
    signs = {"capture": 1, "refund": -1, "refund_reversal": 1, "dispute": -1, "dispute_reversal": 1}
    assert set(by_id(model, PAYMENTS)) == {payment.id for payment in payments}
    for one in payments:
        moved = sum(signs[row.kind] * row.amount_minor for row in model[MOVEMENTS] if row.payment_id == one.id)
        refunded = sum(refund.amount_minor for refund in one.refunds.values() if refund.state == "succeeded")
        disputed = sum(dispute.amount_minor for dispute in one.disputes.values() if dispute.state != "won")
        assert moved == one.captured_minor - refunded - disputed


# Due work may propose too much, and never misses anything.


def proposed(model: ReadModel, until: date) -> dict[UUID, DueProfile]:
    """What the query of the read tables answers."""
    due = [row for row in model[DUE_WORK] if row.due_on <= until]
    removed = {row.member_id for row in model[LEAVERS]}
    profile_ids = {row.billing_profile_id for row in due if row.billing_profile_id}
    profile_ids |= {
        row.billing_profile_id for row in model[DUE_SUBSCRIPTIONS] if row.renews and row.purchaser_id in removed
    }
    waiting = {one: {row.payment_id for row in due if row.billing_profile_id == one} for one in profile_ids}
    organization_id = model[DUE_SUBSCRIPTIONS][0].organization_id if model[DUE_SUBSCRIPTIONS] else UUID(int=0)
    return {one: DueProfile(organization_id, one, tuple(filter(None, waiting[one]))) for one in profile_ids}


def due_on_profiles(story: BilledStory, day: date) -> set[UUID]:
    """Where the life cycle itself finds something to do by a day."""
    ledger, organization_id = story.contoso.ledger, story.contoso.organization_id
    due = set()
    for books in open_all_books(ledger, ledger.organization(organization_id), story.profiles):
        steps = DueSteps(books, story.contoso.till, ledger.prices, midnight(day), until=day)
        days = [step.on for step in steps.steps()] + [one.cycle.start for one in steps.chargings()]
        due |= {books.profile.id} if any(on <= day for on in days) else set()
    return due


def nothing_is_missed(story: BilledStory, model: ReadModel) -> None:
    today = story.clock.now.date()
    for days in (0, 1, 5, 31, 100, 400):
        day = today + timedelta(days=days)
        assert due_on_profiles(story, day) <= proposed(model, day).keys()
    waiting = {one for profile in proposed(model, today).values() for one in profile.payment_ids}
    for payment in story.payments:
        disputed = any(dispute.state == "open" for dispute in payment.disputes.values())
        if payment.is_open or payment.open_refunds or disputed:
            assert payment.id in waiting


@settings(LAWS, max_examples=60)
@given(STEPS)
def test_whatever_the_life_cycle_would_do_is_proposed(steps: list[Step]) -> None:
    story, model, known = BilledStory(), ReadModel(DueWork()), 0
    for step in steps:
        story.goes_on(step)
        model.fold(story.history[known:])
        known = len(story.history)
        nothing_is_missed(story, model)


@LAWS
@given(STEPS)
def test_runs_over_what_is_proposed_leave_nothing_due(steps: list[Step]) -> None:
    story = told(steps)
    story.clock.now += timedelta(days=200)
    today = story.clock.now.date()
    # The first run may complete a purchase that was interrupted long ago: its own steps are the next run's.
    for _ in range(2):
        due = proposed(ReadModel(DueWork()).fold(story.history), today)
        story.runs(list(due.values()))
    assert due_on_profiles(story, today) == set()
