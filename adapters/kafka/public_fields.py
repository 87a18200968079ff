"""What every field of a public event means, and in what it is counted: said once, for a name means one thing.

Where a model means something of its own by a name, the meaning stands under `Model.field`.
"""

from __future__ import annotations

from typing import NamedTuple

MINOR = "minor units of the currency"
LICENSES = "licenses"
DAYS = "days"
DAY = "calendar day in UTC"
MOMENT = "RFC 3339 in UTC"
CURRENCY = "ISO 4217 code"
COUNTRY = "ISO 3166-1 alpha-2 code"
DURATION = "ISO 8601 duration"
PLACES = "decimal places"


class Meaning(NamedTuple):
    """One field: a sentence, and its unit where it has one."""

    text: str
    unit: str = ""


FIELDS: dict[str, Meaning] = {
    # Whose it is, and what it belongs to.
    "organization_id": Meaning("The organization."),
    "member_id": Meaning("The member, by a pseudonymous id: no name goes out."),
    "owner_id": Meaning("The member that it belongs to."),
    "purchaser_id": Meaning("The member that the subscription belongs to now."),
    "purchaser_id_before": Meaning("The member that it belonged to before."),
    "first_admin_id": Meaning("The member that administers the organization from the beginning."),
    "product_id": Meaning("The catalog's own code of the product, the same for ever."),
    "offer_id": Meaning("The offer: a product for a term, on a billing plan."),
    "subscription_id": Meaning("The subscription."),
    "replaces_id": Meaning("The subscription that this one takes the place of; null: none."),
    "replaced_by_id": Meaning("The subscription that takes its place."),
    "pool_id": Meaning("The licenses of the subscription, as one thing: events about them have it as `ce_subject`."),
    "billing_profile_id": Meaning("The billing profile that is charged."),
    "billing_profile_id_before": Meaning("The billing profile that was charged before."),
    "payment_method_id": Meaning("The payment method that is charged; nothing of a card goes out."),
    "payment_method_id_before": Meaning("The payment method that was charged before."),
    "payment_id": Meaning("The payment."),
    "refund_id": Meaning("The refund."),
    "dispute_id": Meaning("The dispute, by an id of our own; the same in all events about it."),
    "invoice_id": Meaning("The invoice."),
    "document_id": Meaning("The invoice that charges for it."),
    "LicensesResized.document_id": Meaning("The invoice that charges for it; null for a decrease."),
    "credit_note_id": Meaning("The credit note."),
    "credit_note_ids": Meaning("The credit notes that come with it: one for each invoice that is amended."),
    # What it is called.
    "prefix": Meaning("What the numbers of the profile's documents begin with."),
    "handle": Meaning("The organization's short name, which no other has."),
    "number": Meaning("The number of the document, which no other has."),
    "invoice_number": Meaning("The number of the invoice that is amended."),
    "name": Meaning("The product's name, as its publisher writes it."),
    "TaxRate.name": Meaning("The name of the tax, such as `VAT`."),
    "product_name": Meaning("The product's name when the line was charged."),
    "sku_part_number": Meaning("The publisher's code of what is licensed."),
    "sku_id": Meaning("The publisher's id of what is licensed; null: none is known."),
    "simulation": Meaning(
        "Whether it lives at a time of its own and its money is play money: leave it out of reports."
    ),
    "kind": Meaning("A member or a guest; a guest does not buy."),
    "InvoiceLine.kind": Meaning("Why it is charged: a purchase, an increase, a renewal, or a cycle within the term."),
    "role": Meaning("The role."),
    "role_before": Meaning("The role that the member had there; null: none."),
    "self_service": Meaning("Whether members may buy it by themselves, where the policy lets them."),
    "policies": Meaning("The policies that an organization can set for it."),
    "policy": Meaning("Who may buy the product by themselves from now on."),
    "policy_before": Meaning("Who could before."),
    "channel": Meaning("Bought by a member for themselves, or by the organization centrally."),
    # Values inside.
    "organization": Meaning("What is fixed when the organization is created."),
    "product": Meaning("The product, as its publisher describes it."),
    "product_before": Meaning("As it was described before."),
    "terms": Meaning("What stays the same for the life of the offer."),
    "first_price": Meaning("The price that the offer begins with."),
    "price": Meaning("The price of one license, as it holds for the term."),
    "PriceVersionScheduled.price": Meaning("The price, with the day from which on a term that starts has it."),
    "PriceVersionWithdrawn.price": Meaning("The price that is withdrawn."),
    "bill_to": Meaning("Where the payer is taxed; who it is does not go out."),
    "tax_rate": Meaning("The one rate of the document."),
    "lines": Meaning("What is charged, line by line."),
    "CreditNoteIssued.lines": Meaning("What is taken back of the lines of the invoice."),
    "allocation": Meaning("Which part of the amount is for which invoice, the oldest first."),
    # Licenses.
    "total": Meaning("How many licenses there are, after the event.", LICENSES),
    "LicenseChangeScheduled.total": Meaning("How many licenses there are to be from the renewal on.", LICENSES),
    "LicenseChangeWithdrawn.total": Meaning("How many there were to be.", LICENSES),
    "LicensePoolClosed.total": Meaning("How many licenses there were.", LICENSES),
    "total_before": Meaning("How many there were before.", LICENSES),
    "total_scheduled_before": Meaning("What had been scheduled before; null: nothing.", LICENSES),
    "assigned": Meaning("How many of them are assigned, after the event.", LICENSES),
    "assignments_ended": Meaning("How many assignments end with it; no event is sent for each.", LICENSES),
    "over_assigned_until": Meaning(
        "When the newest assignments above the total end; null: there are not more assigned than there are.", DAY
    ),
    "licenses": Meaning("How many licenses.", LICENSES),
    "SubscriptionCancelled.licenses": Meaning("How many licenses it had as it ended.", LICENSES),
    "licenses_before": Meaning("How many before.", LICENSES),
    "quantity": Meaning("How many licenses are charged.", LICENSES),
    "CreditLine.quantity": Meaning("How many licenses are left on the line.", LICENSES),
    "quantity_before": Meaning("How many licenses were left on it before.", LICENSES),
    "maximum": Meaning("How many licenses a subscription can have.", LICENSES),
    "batch": Meaning("The licenses that came together."),
    "Charge.batch": Meaning("The number of the batch of licenses that is charged."),
    "InvoiceLine.batch": Meaning("The number of the batch of licenses that is charged."),
    "Batch.number": Meaning("The number of the batch within the subscription."),
    "Batch.licenses": Meaning("How many licenses of the batch are left.", LICENSES),
    "batches": Meaning(
        "The batches that it changed, as they are now: the opened one, or those that licenses came from."
    ),
    "charge": Meaning("Where the money for it stands: the line of an invoice."),
    "LicensesResized.charge": Meaning("The line of an invoice that charges for it; null for a decrease."),
    "line": Meaning("The number of the line on the invoice."),
    "InvoiceLine.number": Meaning("The number of the line on the document, from 1."),
    # Money.
    "currency": Meaning("The currency of all amounts beside it.", CURRENCY),
    "currency_exponent": Meaning(
        "Minor units are so many places behind the decimal point: 2 for USD, 0 for JPY.", PLACES
    ),
    "unit_price_minor": Meaning("The price of one license for one billing period, before tax.", MINOR),
    "unit_price_minor_before": Meaning("The price in the term before.", MINOR),
    "price_version": Meaning("The number of the offer's price."),
    "PriceVersion.number": Meaning("The number of the price within the offer, from 1."),
    "term": Meaning("How long a term is.", DURATION),
    "plan": Meaning("How often is billed: the billing period is a month or a year."),
    "rule": Meaning("The named rule by which parts of a billing period are computed; a rule never changes."),
    "amount_minor": Meaning("The amount.", MINOR),
    "InvoiceLine.amount_minor": Meaning("The amount of the line before tax.", MINOR),
    "CreditLine.amount_minor": Meaning("The amount that is credited before tax, as a positive number.", MINOR),
    "Allocation.amount_minor": Meaning("The part of the amount that is for it.", MINOR),
    "net_minor": Meaning("The sum of the lines before tax.", MINOR),
    "tax_minor": Meaning("The tax, rounded once for the document.", MINOR),
    "total_minor": Meaning("Net and tax together; of a credit note positive, too.", MINOR),
    "due_minor": Meaning("What is due on the invoice after the event; below zero: owed to the payer.", MINOR),
    "balance_minor": Meaning("The credit balance of the profile after the event.", MINOR),
    "still_owed_minor": Meaning("What later billing periods of the term still cost, before tax.", MINOR),
    "rate_ppm": Meaning("The rate.", "parts per million"),
    "attempt": Meaning("Which attempt it is, from 1."),
    # Places.
    "country": Meaning("The country.", COUNTRY),
    "BillTo.country": Meaning("The country that taxes the payer.", COUNTRY),
    "TaxRate.country": Meaning("The country whose tax it is.", COUNTRY),
    "country_before": Meaning("The country before.", COUNTRY),
    # States and reasons.
    "state": Meaning("The state of the invoice after the event."),
    "ChargeFailed.state": Meaning("The state of the subscription after the event."),
    "ChargeRecovered.state": Meaning("The state of the subscription after the event."),
    "reason": Meaning("Why."),
    "erased": Meaning("What was erased, a fact each."),
    "purpose": Meaning("What the personal fact was known for."),
    "when": Meaning("Cancelled at once, at the end of its term, or by an administrator."),
    "outcome": Meaning("How the payer's bank decided, seen from the house: `won` keeps the money."),
    "recurring_billing": Meaning("Whether it renews at the end of its term."),
    "recurring_billing_before": Meaning("Whether it renewed before; a withdrawal brings that back."),
    "term_number": Meaning("Which term it is; the first one is 0."),
    # Days and moments.
    "SubscriptionPurchased.term": Meaning("The days of the first term."),
    "SubscriptionRenewed.term": Meaning("The days of the term."),
    "period": Meaning("The days that are charged for."),
    "cycle": Meaning("The days of the billing period."),
    "days": Meaning("How many days are charged.", DAYS),
    "CreditLine.days": Meaning("How many days are credited.", DAYS),
    "cycle_days": Meaning("How many days the billing period has.", DAYS),
    "start": Meaning("The first day.", DAY),
    "end": Meaning("The first day that does not belong to it any more.", DAY),
    "anchor": Meaning("The day that all terms and billing periods are counted from.", DAY),
    "effective_on": Meaning("Terms that start on this day or later have the price.", DAY),
    "withdrawn_on": Meaning("The first day that the offer is not on sale.", DAY),
    "OfferWithdrawalRevoked.withdrawn_on": Meaning("The day that no longer counts.", DAY),
    "withdrawn_on_before": Meaning("The day that had been set before; null: none.", DAY),
    "issued_on": Meaning("The day that stands on the document.", DAY),
    "due_on": Meaning("The day that it is due, which decides the tax.", DAY),
    "attempted_on": Meaning("The day of the attempt.", DAY),
    "first_attempted_on": Meaning("The day of the first attempt.", DAY),
    "retry_on": Meaning("The day of the next attempt; null: none is made by itself.", DAY),
    "written_off_on": Meaning("The day from which on it counts as lost.", DAY),
    "ends_on": Meaning("The last day of the term.", DAY),
    "renews_on": Meaning("The first day of the next term.", DAY),
    "takes_effect_on": Meaning("The first day of the next term.", DAY),
    "ended_on": Meaning("The last day that it was paid for, or the day that it was cancelled.", DAY),
    "expired_on": Meaning("The first day without a term.", DAY),
    "disabled_on": Meaning("The first day on which users have no access.", DAY),
    "deleted_on": Meaning("The day that what was kept is gone.", DAY),
    "purchased_at": Meaning("When it was bought.", MOMENT),
    "renewed_at": Meaning("When the renewal was recorded, which may be later than the term's first day.", MOMENT),
    "cancelled_at": Meaning("When it was cancelled.", MOMENT),
    "cancellable_until": Meaning("Until when it can be cancelled at once.", MOMENT),
    "removable_until": Meaning("Until when the licenses that came with it can be given back.", MOMENT),
    "LicensesResized.removable_until": Meaning(
        "Until when the licenses that came with it can be given back; null for a decrease.", MOMENT
    ),
    "opened_at": Meaning("When they came.", MOMENT),
    "requested_at": Meaning("When the charge was decided, before the provider hears of it.", MOMENT),
    "given_at": Meaning("When the credit was given.", MOMENT),
    "given_before_at": Meaning("When the last such credit for the product was given; null: none was.", MOMENT),
    "advanced_to": Meaning("The time that it is there now.", MOMENT),
}


def meaning(model: str, field: str) -> Meaning:
    """What a field of a model means; raises KeyError where nobody has said it."""
    return FIELDS.get(f"{model}.{field}") or FIELDS[field]
