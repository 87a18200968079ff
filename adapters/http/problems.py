"""Problem details (RFC 9457): what every refusal and error is over HTTP, and what its help page says."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from pydantic import BaseModel, Field
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
PAYMENT_RETRY_S, PROVIDER_RETRY_S, BUSY_RETRY_S, STUCK_RETRY_S = 5, 30, 1, 30


class InputError(BaseModel):
    """One thing that is wrong with what was sent, and where; never what stood there."""

    pointer: str = Field(description="A JSON pointer into the body, or the name of a header or parameter.")
    detail: str


class Problem(BaseModel):
    """A refusal or an error (RFC 9457)."""

    type: str = Field(description="Where the problem is explained; the same for every problem with this code.")
    title: str
    status: int
    detail: str = Field(description="What happened, and what to do about it.")
    code: str = Field(description="What programs decide by.")
    facts: dict[str, Any] = Field(default_factory=dict, description="The numbers and names that the detail tells.")
    errors: list[InputError] = Field(default_factory=list, description="What is wrong with the input, each place once.")
    request_id: str | None = Field(default=None, description="By this name the logs know the request.")


class Kind(NamedTuple):
    """A kind of problem: its status, what it is called, and what the help page says about it."""

    status: int
    title: str
    help: str
    retry_after_s: int | None = None


# Of the request: before any rule of the business is asked.
REQUEST: dict[str, Kind] = {
    "bad_request": Kind(400, "The request cannot be understood", "The body is no JSON, or the path is malformed."),
    "bad_parameter": Kind(
        400,
        "A parameter or header is not accepted",
        "A parameter in the path, the query or a header has the wrong form, or is not known here. `errors` names it.",
    ),
    "bad_input": Kind(
        422,
        "The input is not accepted",
        "Fields of the body are missing, unknown or out of range. `errors` names each.",
    ),
    "cursor_not_accepted": Kind(
        400,
        "The page cursor is not accepted",
        "A cursor is good for the question that it came with: same path, same filters, same caller.",
    ),
    "idempotency_key_missing": Kind(
        400,
        "The request has no Idempotency-Key",
        "Every call that changes something carries a key of the caller's choice, 1 to 255 visible characters. A repeat"
        " with the same key and content gets the first answer, for ever; so a call whose answer was lost can be sent"
        " again.",
    ),
    "if_match_malformed": Kind(
        400, "The If-Match header is malformed", "It carries the ETag of one answer, quotes included, or `*`."
    ),
    "token_missing": Kind(
        401, "Who calls is not said", "Send `Authorization: Bearer …` with a token of the issuer, or an API key."
    ),
    "token_malformed": Kind(401, "The token is malformed", "It is neither a signed JWT nor an API key of this house."),
    "token_expired": Kind(401, "The token has expired", "Get a new one from the issuer and repeat the call."),
    "token_not_accepted": Kind(
        401,
        "The token is not accepted",
        "Its signature, issuer, audience, algorithm or validity is not what this house accepts, or the API key was"
        " revoked.",
    ),
    "not_found": Kind(
        404,
        "It does not exist",
        "There is no such thing, or none that the caller may know of: both are told alike.",
    ),
    "method_not_allowed": Kind(405, "The method is not allowed", "`Allow` names those that are."),
    "not_acceptable": Kind(406, "The asked media type is not offered", "Ask for `application/json`."),
    "request_timeout": Kind(408, "The body did not arrive in time", "Send the request again with the same key."),
    "body_too_large": Kind(413, "The body is too large", "Send less at a time; long lists go in several calls."),
    "media_type_not_supported": Kind(415, "The media type is not supported", "Send `application/json` in UTF-8."),
    "if_match_required": Kind(
        428,
        "The request has no If-Match",
        "A change of what exists says on which state it was decided: the ETag of the answer that the caller looked at.",
    ),
    "rate_exceeded": Kind(
        429, "Too many requests", "One user, one API key or one organization asks too often. `Retry-After` says when."
    ),
    "defect": Kind(
        500,
        "A defect of seatledger",
        "It is in the logs under the request id. Nothing is half done; the same call may be sent again with its key.",
    ),
    "overloaded": Kind(
        503, "Too much at a time", "The server takes on no more than it can do. Try again.", BUSY_RETRY_S
    ),
    "unavailable": Kind(
        503,
        "The database cannot take it now",
        "Nothing is half done. Send the same call again, with the same key.",
        BUSY_RETRY_S,
    ),
    "nothing_sealed": Kind(
        409, "Nothing of it is sealed yet", "The sealer signs every few seconds for what was recorded. Ask again then."
    ),
    "pack_too_large": Kind(
        409, "It is too much for a download", "An operator writes the same pack with `seatledger audit export`."
    ),
    "not_as_sealed": Kind(
        500,
        "The ledger is not what was sealed of it",
        "Nothing is handed out that would not be verified. An operator finds what differs: `seatledger audit verify`.",
    ),
    "event_not_tellable": Kind(
        503,
        "The next event cannot be told",
        "The feed stands before an event that this version cannot tell, and passes over none. `facts` names its"
        " position. An operator mends it; then the same call goes on.",
        STUCK_RETRY_S,
    ),
    "issuer_unavailable": Kind(
        503, "The token cannot be checked now", "The issuer's keys cannot be fetched. Try again.", PROVIDER_RETRY_S
    ),
    "not_yet": Kind(
        503,
        "The read model is not there yet",
        "The query asked for a position that the read model has not reached. Ask again.",
        BUSY_RETRY_S,
    ),
}

# Refusals: the rules of the business, by their codes.
REFUSED: dict[str, Kind] = {
    "not_allowed": Kind(403, "It is not allowed", "The caller's role does not permit it; the detail names what does."),
    "guest_may_not_buy": Kind(403, "Guests cannot buy", "A member who is not a guest can."),
    "billing_profile_role_needed": Kind(
        403, "It takes a role on the billing profile", "Its owner grants roles on the profile."
    ),
    "changed_meanwhile": Kind(
        412, "It has changed meanwhile", "The ETag in If-Match is not the present one. Look again, then decide again."
    ),
    "command_id_reused": Kind(
        422,
        "The Idempotency-Key was used for something else",
        "A key stands for one call of one caller in one organization, for ever. Take a new key for new content.",
    ),
    "busy": Kind(503, "Too many change it at a time", "Send the same call again, with the same key.", BUSY_RETRY_S),
    "save_too_large": Kind(422, "The change is too large", "Send it in several calls."),
    "unstorable_text": Kind(422, "A text cannot be stored", "Leave the NUL character out."),
    "card_data_not_accepted": Kind(
        422,
        "Card data is not accepted",
        "Card numbers and security codes go to the payment provider, which gives a token for them. What was sent was"
        " neither stored nor logged; the pointer tells where it stood.",
    ),
    "stale_version": Kind(409, "The total is another one by now", "Look again and repeat with the total as it is."),
    "organization_exists": Kind(409, "The organization exists already", "Choose another handle."),
    "member_not_active": Kind(409, "The member is not active", "Reactivate or import the member first."),
    "member_still_active": Kind(409, "The member is still there", "Remove the member first."),
    "last_admin": Kind(409, "The last admin cannot go", "Make another member admin first."),
    "self_service_disabled": Kind(409, "Self-service is turned off", "An admin can enable it for the product."),
    "offer_not_on_sale": Kind(409, "The offer is not on sale", "Choose another offer."),
    "plan_longer_than_term": Kind(422, "The plan is longer than the term", "Choose another plan or term."),
    "effective_date_too_early": Kind(422, "The date is too early", "Prices change from tomorrow (UTC) on."),
    "unknown_currency": Kind(422, "The currency is unknown", "Give an ISO 4217 code such as USD."),
    "unknown_country": Kind(422, "The country is unknown", "Give an ISO 3166 code such as US."),
    "price_version_exists": Kind(409, "A price takes effect on that day already", "Withdraw it first."),
    "policy_not_offered": Kind(422, "The product does not offer the policy", "The detail names those it offers."),
    "too_many_licenses": Kind(422, "More licenses than the offer allows", "The detail names the maximum."),
    "too_few_licenses": Kind(422, "Too few licenses", "Take 1 or more, or cancel the subscription."),
    "licenses_still_assigned": Kind(409, "Licenses are still assigned", "Unassign the licenses first."),
    "not_enough_licenses": Kind(409, "Not enough licenses are free", "Add licenses, or unassign some."),
    "too_many_users_at_once": Kind(422, "Too many users at once", "Send at most 20 users in one call."),
    "user_not_in_organization": Kind(
        409, "A user cannot get a license", "The detail names every user that cannot, with the reason."
    ),
    "removal_window_passed": Kind(
        409, "The licenses cannot be removed any more", "Schedule a lower total for the renewal instead."
    ),
    "cancellation_window_passed": Kind(
        409, "It cannot be cancelled now any more", "Cancel at the end of the term instead."
    ),
    "subscription_not_active": Kind(
        409,
        "The state of the subscription does not permit it",
        "The detail names the state and what is possible in it.",
    ),
    "recurring_billing_off": Kind(409, "Recurring billing is off", "Turn it on first."),
    "quote_changed": Kind(409, "It comes to another amount", "Ask for a quote again, and confirm that amount."),
    "billing_profile_required": Kind(409, "A billing profile is needed", "Open one, with a payment method."),
    "po_number_unusable": Kind(422, "The purchase order number is unusable", "Use letters, digits and simple signs."),
    "card_of_another_country": Kind(409, "The card is of another country", "Use one issued in the organization's."),
    "card_not_accepted": Kind(402, "The provider does not take the card", "Check the details, or use another card."),
    "payment_provider_unavailable": Kind(
        503, "The payment provider does not answer", "Send the same call again, with the same key.", PROVIDER_RETRY_S
    ),
    "payment_method_in_use": Kind(409, "The payment method is in use", "Replace it on the profiles that charge it."),
    "payment_method_still_charged": Kind(
        409,
        "Something is left to charge with the payment method",
        "End or take over the subscriptions and settle the invoices of the profile, or replace the card there.",
    ),
    "personal_facts_kept": Kind(
        409,
        "Some personal facts must be kept for now",
        "They stand on issued invoices; `facts` names each with its day. `what_may_go` erases the others.",
    ),
    "access_period_unusable": Kind(
        422, "The grant's end is not usable", "Name an end that is later than now and at most 366 days away."
    ),
    "payment_declined": Kind(402, "The payment was declined", "Use another card; the same key tries again."),
    "payment_action_required": Kind(
        409,
        "The payer has to confirm the payment",
        "Send the payer to `facts.url`, then repeat the same call with the same key: it goes on where it stood.",
        PAYMENT_RETRY_S,
    ),
    "payment_outcome_unknown": Kind(
        409,
        "The payment's outcome is not known yet",
        "The provider has not answered. Repeat the same call with the same key: nothing is charged twice.",
        PAYMENT_RETRY_S,
    ),
    "invoice_past_due": Kind(409, "An invoice is past due", "Pay it first."),
    "nothing_due": Kind(409, "Nothing is due", "There is nothing to pay on this invoice."),
    "no_simulation": Kind(409, "The organization is no simulation", "Only simulations live at another time."),
    "as_of_in_the_future": Kind(409, "That day has not come", "Only simulations live ahead of the clock."),
    "nothing_to_reactivate": Kind(409, "There is nothing to reactivate", "The detail names the state."),
    "other_product": Kind(409, "It is another product", "Choose a subscription of the same product."),
}

KINDS: dict[str, Kind] = REQUEST | REFUSED


def type_of(code: str) -> str:
    """The URI of a problem's type: a path, which every installation answers with its help page."""
    return f"/problems/{code}"


def problem(
    code: str,
    detail: str,
    *,
    facts: Mapping[str, Any] | None = None,
    errors: list[InputError] | None = None,
    request_id: str | None = None,
    headers: Mapping[str, str] | None = None,
    retry_after_s: int | None = None,
) -> Response:
    """The answer for a problem of a kind; 401 challenges, and what may be tried again says when."""
    kind = KINDS[code]
    said = Problem(
        type=type_of(code),
        title=kind.title,
        status=kind.status,
        detail=detail,
        code=code,
        facts=dict(facts or {}),
        errors=errors or [],
        request_id=request_id,
    )
    sent = dict(headers or {})
    if kind.status == HTTPStatus.UNAUTHORIZED:
        sent["WWW-Authenticate"] = f'Bearer error="invalid_token", error_description="{kind.title}"'
    if (seconds := retry_after_s or kind.retry_after_s) is not None:
        sent["Retry-After"] = str(seconds)
    return Response(said.model_dump_json(), kind.status, sent, MEDIA_TYPE)
