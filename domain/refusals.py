"""Every way in which a command is refused: a stable code, the numbers, and the remedy. Refusals know no HTTP.

Refusal
├── NotFound, NotAllowed
├── StaleVersion, CommandIdReused, Busy
└── one class per business rule, below
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from domain.personal import KeptFact


class Refusal(Exception):
    """A command that is not carried out; nothing changes. `facts` holds the numbers that the message names."""

    code: ClassVar[str]

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.facts: Mapping[str, Any] = facts


class NotFound(Refusal):
    code = "not_found"

    def __init__(self, *, what: str, key: object) -> None:
        super().__init__(
            f"there is no {what} {key} here; check it with the matching list command", what=what, key=str(key)
        )


class NotAllowed(Refusal):
    code = "not_allowed"

    def __init__(self, *, action: str, remedy: str) -> None:
        super().__init__(f"you may not {action}: {remedy}", action=action)


class StaleVersion(Refusal):
    code = "stale_version"

    def __init__(self, *, expected: int, actual: int) -> None:
        super().__init__(
            f"the total is {actual}, not {expected} as you expected; look again and repeat with the new total",
            expected=expected,
            actual=actual,
        )


class ChangedMeanwhile(Refusal):
    code = "changed_meanwhile"

    def __init__(self, *, seen: int, actual: int) -> None:
        super().__init__(
            f"it is at version {actual} and not at {seen}, as when you looked; look again, and repeat if you still"
            " want it",
            seen=seen,
            actual=actual,
        )


class CommandIdReused(Refusal):
    code = "command_id_reused"

    def __init__(self, *, command_id: UUID) -> None:
        super().__init__(
            f"command id {command_id} was used for another command; take a new id for new content",
            command_id=str(command_id),
        )


class Busy(Refusal):
    code = "busy"

    def __init__(self, *, attempts: int) -> None:
        super().__init__(
            f"too many others changed the same thing ({attempts} attempts); repeat the command", attempts=attempts
        )


class SaveTooLarge(Refusal):
    code = "save_too_large"

    def __init__(self, *, events: int, largest_bytes: int, events_limit: int, bytes_limit: int) -> None:
        super().__init__(
            f"one save takes {events_limit} events of {bytes_limit} bytes, and this one has {events}, the largest of"
            f" {largest_bytes} bytes; split the command",
            events=events,
            largest_bytes=largest_bytes,
            events_limit=events_limit,
            bytes_limit=bytes_limit,
        )


class UnstorableText(Refusal):
    code = "unstorable_text"

    def __init__(self, *, purpose: str) -> None:
        super().__init__(f"the {purpose} contains a NUL character; remove it", purpose=purpose)


class CardDataNotAccepted(Refusal):
    """Names the place, as a JSON pointer, and never what stands there."""

    code = "card_data_not_accepted"

    def __init__(self, *, field: str) -> None:
        super().__init__(
            f"{field or 'the input'} looks like a card number or a security code, which is not accepted here; give it"
            " to the payment provider and send the provider's token",
            field=field,
        )


class OrganizationExists(Refusal):
    code = "organization_exists"

    def __init__(self, *, handle: str) -> None:
        super().__init__(f"organization {handle} exists already; choose another handle", handle=handle)


class MemberNotActive(Refusal):
    code = "member_not_active"
    REMEDIES: ClassVar = {"deactivated": "reactivate the member", "removed": "import the member again"}

    def __init__(self, *, member_id: UUID, status: str) -> None:
        super().__init__(
            f"member {member_id} is {status}; {self.REMEDIES.get(status, 'look the member up again')} first",
            member_id=str(member_id),
            status=status,
        )


class MemberStillActive(Refusal):
    code = "member_still_active"

    def __init__(self, *, member_id: UUID) -> None:
        super().__init__(
            f"member {member_id} was not removed and is still there; remove the member first",
            member_id=str(member_id),
        )


class GuestMayNotBuy(Refusal):
    code = "guest_may_not_buy"

    def __init__(self, *, member_id: UUID) -> None:
        super().__init__(f"member {member_id} is a guest; guests cannot buy: ask a member to", member_id=str(member_id))


class LastAdmin(Refusal):
    code = "last_admin"

    def __init__(self, *, member_id: UUID) -> None:
        super().__init__(
            f"member {member_id} is the last admin; make another member admin first", member_id=str(member_id)
        )


class SelfServiceDisabled(Refusal):
    code = "self_service_disabled"

    def __init__(self, *, product_id: str, policy: str) -> None:
        super().__init__(
            f"self-service purchase of {product_id} is {policy} in this organization; ask an admin to enable it",
            product_id=product_id,
            policy=policy,
        )


class OfferNotOnSale(Refusal):
    code = "offer_not_on_sale"

    def __init__(self, *, offer_id: UUID, why: str) -> None:
        super().__init__(
            f"offer {offer_id} is not on sale: {why}; choose another offer", offer_id=str(offer_id), why=why
        )


class PlanLongerThanTerm(Refusal):
    code = "plan_longer_than_term"

    def __init__(self, *, plan: str, term: str) -> None:
        super().__init__(
            f"a term of {term} cannot be billed {plan}; choose a longer term or a shorter plan", plan=plan, term=term
        )


class EffectiveDateTooEarly(Refusal):
    code = "effective_date_too_early"

    def __init__(self, *, effective_on: date, today: date) -> None:
        super().__init__(
            f"{effective_on} is not after today, {today} (UTC); prices and withdrawals change from tomorrow on",
            effective_on=effective_on.isoformat(),
            today=today.isoformat(),
        )


class UnknownCurrency(Refusal):
    code = "unknown_currency"

    def __init__(self, *, currency: str) -> None:
        super().__init__(f"{currency} is no ISO 4217 currency; give a code such as USD", currency=currency)


class UnknownCountry(Refusal):
    code = "unknown_country"

    def __init__(self, *, country: str) -> None:
        super().__init__(f"{country} is no ISO 3166 country; give a code such as US", country=country)


class PriceVersionExists(Refusal):
    code = "price_version_exists"

    def __init__(self, *, effective_on: date) -> None:
        super().__init__(
            f"a price takes effect on {effective_on} already; withdraw it first", effective_on=effective_on.isoformat()
        )


class PolicyNotOffered(Refusal):
    code = "policy_not_offered"

    def __init__(self, *, product_id: str, policy: str, allowed: Sequence[str]) -> None:
        remedy = f"choose one of {', '.join(allowed)}" if allowed else "it is not sold by self-service and needs none"
        super().__init__(
            f"{product_id} does not offer the policy {policy}; {remedy}",
            product_id=product_id,
            policy=policy,
            allowed=list(allowed),
        )


class TooManyLicenses(Refusal):
    code = "too_many_licenses"

    def __init__(self, *, total: int, maximum: int) -> None:
        super().__init__(
            f"{total} licenses are more than the offer allows; take at most {maximum}", total=total, maximum=maximum
        )


class TooFewLicenses(Refusal):
    code = "too_few_licenses"

    def __init__(self, *, total: int) -> None:
        super().__init__(f"{total} licenses are too few; take 1 or more, or cancel the subscription", total=total)


class LicensesStillAssigned(Refusal):
    code = "licenses_still_assigned"

    def __init__(self, *, total: int, assigned: int) -> None:
        super().__init__(
            f"{assigned} licenses are assigned; unassign {assigned - total} before resizing to {total}",
            total=total,
            assigned=assigned,
        )


class NotEnoughLicenses(Refusal):
    code = "not_enough_licenses"

    def __init__(self, *, wanted: int, free: int) -> None:
        super().__init__(
            f"{wanted} licenses are needed and {free} are free; add {wanted - free} or unassign some",
            wanted=wanted,
            free=free,
        )


class TooManyUsersAtOnce(Refusal):
    code = "too_many_users_at_once"

    def __init__(self, *, users: int, maximum: int) -> None:
        super().__init__(
            f"{users} users at once are more than {maximum}; send them in parts", users=users, maximum=maximum
        )


class UserNotInOrganization(Refusal):
    """All users that cannot hold a license, each with its reason: unknown, deactivated or removed."""

    code = "user_not_in_organization"

    def __init__(self, *, reasons: Mapping[str, str]) -> None:
        named = ", ".join(f"{user} ({reason})" for user, reason in reasons.items())
        super().__init__(
            f"no license was assigned, since these users cannot hold one: {named}; leave them out",
            reasons=dict(reasons),
        )


class RemovalWindowPassed(Refusal):
    """Fewer licenses can be removed now than asked for."""

    code = "removal_window_passed"

    def __init__(self, *, asked: int, removable_now: int, windows: Sequence[tuple[int, datetime]]) -> None:
        until = "; ".join(f"{licenses} until {end:%Y-%m-%d %H:%M} UTC" for licenses, end in windows) or "none"
        super().__init__(
            f"{asked} licenses were to be removed and {removable_now} can be removed now ({until});"
            " schedule the lower total for renewal instead",
            asked=asked,
            removable_now=removable_now,
            windows=[{"licenses": licenses, "until": end.isoformat()} for licenses, end in windows],
        )


class CancellationWindowPassed(Refusal):
    code = "cancellation_window_passed"

    def __init__(self, *, until: datetime, removable_now: int, ends_on: date) -> None:
        younger = f"remove the {removable_now} licenses added lately, or " if removable_now else ""
        super().__init__(
            f"cancelling at once was possible until {until:%Y-%m-%d %H:%M} UTC;"
            f" {younger}cancel at the term's end, {ends_on} (when: term_end)",
            until=until.isoformat(),
            removable_now=removable_now,
            ends_on=ends_on.isoformat(),
        )


class SubscriptionNotActive(Refusal):
    code = "subscription_not_active"
    REMEDIES: ClassVar = {
        "in_grace": "pay what is past due first",
        "expired": "reactivate it or buy a new one",
        "disabled": "reactivate it or buy a new one",
    }

    def __init__(self, *, subscription_id: UUID, state: str) -> None:
        super().__init__(
            f"subscription {subscription_id} is {state}; {self.REMEDIES.get(state, 'buy a new one instead')}",
            subscription_id=str(subscription_id),
            state=state,
        )


class RecurringBillingOff(Refusal):
    code = "recurring_billing_off"

    def __init__(self, *, subscription_id: UUID) -> None:
        super().__init__(
            f"recurring billing of {subscription_id} is off, so it does not renew; turn it on first",
            subscription_id=str(subscription_id),
        )


# Money.


class QuoteChanged(Refusal):
    code = "quote_changed"

    def __init__(self, *, expected_minor: int, actual_minor: int, currency: str) -> None:
        super().__init__(
            f"it comes to {actual_minor} {currency} in minor units, not {expected_minor} as you expected; look at the"
            " quote again and repeat with its amount",
            expected_minor=expected_minor,
            actual_minor=actual_minor,
            currency=currency,
        )


class BillingProfileRequired(Refusal):
    code = "billing_profile_required"

    def __init__(self, *, member_id: UUID) -> None:
        super().__init__(
            f"member {member_id} has no billing profile; add a payment method and open one, or name another's on which"
            " the member may buy",
            member_id=str(member_id),
        )


class BillingProfileRoleNeeded(Refusal):
    code = "billing_profile_role_needed"

    def __init__(self, *, billing_profile_id: UUID, roles: Sequence[str]) -> None:
        super().__init__(
            f"on billing profile {billing_profile_id} this takes the role {' or '.join(roles)}; ask its owner",
            billing_profile_id=str(billing_profile_id),
            roles=list(roles),
        )


class PurchaseOrderNumberUnusable(Refusal):
    code = "po_number_unusable"

    def __init__(self, *, po_number: str) -> None:
        super().__init__("the PO number is blank; give one, or remove it", po_number=po_number)


class CardOfAnotherCountry(Refusal):
    code = "card_of_another_country"

    def __init__(self, *, country: str, needed: str) -> None:
        super().__init__(
            f"the card was issued in {country} and the organization is in {needed}; use a card issued in {needed}",
            country=country,
            needed=needed,
        )


class CardNotAccepted(Refusal):
    code = "card_not_accepted"

    def __init__(self, *, why: str) -> None:
        super().__init__(f"the provider does not take the card: {why}; check the details or use another card", why=why)


class PaymentProviderUnavailable(Refusal):
    code = "payment_provider_unavailable"

    def __init__(self, *, asked_to: str) -> None:
        super().__init__(
            f"the payment provider does not answer, so whether it could {asked_to} the card is not known; send the same"
            " command with the same id again",
            asked_to=asked_to,
        )


class PaymentMethodInUse(Refusal):
    code = "payment_method_in_use"

    def __init__(self, *, payment_method_id: UUID, billing_profile_ids: Sequence[UUID]) -> None:
        named = ", ".join(str(profile_id) for profile_id in billing_profile_ids)
        super().__init__(
            f"payment method {payment_method_id} is charged by billing profile {named}; replace it there first",
            payment_method_id=str(payment_method_id),
            billing_profile_ids=[str(profile_id) for profile_id in billing_profile_ids],
        )


class PaymentDeclined(Refusal):
    """The provider declined the charge; the payment is recorded, and nothing else has changed."""

    code = "payment_declined"

    def __init__(self, *, payment_id: UUID, why: str) -> None:
        super().__init__(
            f"the payment was declined ({why}); edit or replace the card, then send the command again",
            payment_id=str(payment_id),
            why=why,
        )


class PaymentActionRequired(Refusal):
    code = "payment_action_required"

    def __init__(self, *, payment_id: UUID, url: str | None) -> None:
        super().__init__(
            f"the bank asks the payer to confirm payment {payment_id} at {url or 'its own page'};"
            " confirm it, then send the same command with the same id",
            payment_id=str(payment_id),
            url=url,
        )


class PaymentOutcomeUnknown(Refusal):
    code = "payment_outcome_unknown"

    def __init__(self, *, payment_id: UUID) -> None:
        super().__init__(
            f"the provider does not answer, so the outcome of payment {payment_id} is not known yet; nothing is charged"
            " twice: send the same command with the same id again, or wait for the life-cycle run",
            payment_id=str(payment_id),
        )


class InvoicePastDue(Refusal):
    code = "invoice_past_due"

    def __init__(self, *, invoice_ids: Sequence[UUID]) -> None:
        named = ", ".join(str(invoice_id) for invoice_id in invoice_ids)
        super().__init__(
            f"invoice {named} is past due; pay it, or edit or replace the card, first",
            invoice_ids=[str(invoice_id) for invoice_id in invoice_ids],
        )


class NothingDue(Refusal):
    code = "nothing_due"

    def __init__(self, *, number: str, due_minor: int) -> None:
        super().__init__(
            f"on invoice {number} {due_minor} minor units are due, which is nothing that can be charged;"
            " a small amount is collected with the next charge",
            number=number,
            due_minor=due_minor,
        )


# The life cycle.


class NoSimulation(Refusal):
    code = "no_simulation"

    def __init__(self, *, handle: str) -> None:
        super().__init__(
            f"organization {handle} is no simulation and lives at the clock's time; leave the time out, or create an"
            " organization with --simulation",
            handle=handle,
        )


class NotYetThen(Refusal):
    code = "as_of_in_the_future"

    def __init__(self, *, as_of: datetime, now: datetime) -> None:
        super().__init__(
            f"{as_of:%Y-%m-%d %H:%M} UTC is later than now, {now:%Y-%m-%d %H:%M} UTC; only a simulated organization on"
            " the sandbox gateway lives ahead of the clock",
            as_of=as_of.isoformat(),
            now=now.isoformat(),
        )


class NothingToReactivate(Refusal):
    code = "nothing_to_reactivate"

    def __init__(self, *, subscription_id: UUID, state: str, reactivated_as: UUID | None) -> None:
        done = f"it was reactivated as {reactivated_as}" if reactivated_as else f"it is {state}"
        super().__init__(
            f"subscription {subscription_id} cannot be reactivated: {done}; only an expired or disabled one can, once",
            subscription_id=str(subscription_id),
            state=state,
            reactivated_as=str(reactivated_as) if reactivated_as else None,
        )


class OtherProduct(Refusal):
    code = "other_product"

    def __init__(self, *, product_id: str, needed: str) -> None:
        super().__init__(
            f"the target subscription is for {product_id}, not for {needed}; choose one of the same product",
            product_id=product_id,
            needed=needed,
        )


# Personal facts.


class PersonalFactsKept(Refusal):
    """Some facts stand on documents that must be kept; nothing was erased."""

    code = "personal_facts_kept"

    def __init__(self, *, member_id: UUID, kept: Sequence[KeptFact], erasable: int) -> None:
        until = max(fact.keep_until for fact in kept)
        named = sorted({f"{fact.purpose} on {fact.number or 'record'} until {fact.keep_until}" for fact in kept})
        super().__init__(
            f"of member {member_id} {len(kept)} personal facts must be kept, the last until {until}"
            f" ({', '.join(named)}); nothing was erased: repeat it after that day, or erase the {erasable} that may go",
            member_id=str(member_id),
            keep_until=until.isoformat(),
            erasable=erasable,
            kept=[{"purpose": one.purpose, "until": one.keep_until.isoformat(), "number": one.number} for one in kept],
        )


class StillCharged(Refusal):
    """A payment method stays as long as something is left to charge with it."""

    code = "payment_method_still_charged"

    def __init__(self, *, payment_method_id: UUID, billing_profile_id: UUID) -> None:
        super().__init__(
            f"billing profile {billing_profile_id} still charges payment method {payment_method_id} for a subscription"
            " or an open invoice; cancel or take over the subscriptions and settle the invoices, or replace the card",
            payment_method_id=str(payment_method_id),
            billing_profile_id=str(billing_profile_id),
        )


class AccessPeriodUnusable(Refusal):
    code = "access_period_unusable"

    def __init__(self, *, ends_at: datetime, now: datetime, most_days: int) -> None:
        super().__init__(
            f"access until {ends_at:%Y-%m-%d %H:%M} UTC is not given at {now:%Y-%m-%d %H:%M} UTC; name an end that is"
            f" later than now and at most {most_days} days away",
            ends_at=ends_at.isoformat(),
            now=now.isoformat(),
            most_days=most_days,
        )
