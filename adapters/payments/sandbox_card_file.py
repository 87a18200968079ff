"""The sandbox's cards: kept, changed, let go of, and why one is declined. Neither holder nor address is kept."""

from datetime import datetime
from hashlib import blake2b
from sqlite3 import Connection
from uuid import UUID

from adapters.payments.limits import limits_of
from adapters.payments.sandbox_cards import (
    MAGIC,
    SECURITY_CODE_OK,
    card_token,
    is_over,
    read_token,
    refuse_card_number,
)
from services.ports_payments import Card, CardEdit, CardRefused

_SELECT = "SELECT token, brand, last4, expiry_month, expiry_year, country FROM cards WHERE token = ? AND NOT forgotten"


def stored(db: Connection, token: str, owner_id: UUID, organization_id: UUID, now: datetime) -> Card:
    """Keeps a card; the same one-time token of the same owner is the same card, and not again once it was let go."""
    new = read_token(token, now)
    lasting = card_token(token, owner_id, organization_id)
    db.execute(
        "INSERT INTO cards (token, magic, brand, last4, country, expiry_month, expiry_year)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (lasting, *new),
    )
    card = _card(db, lasting)
    if card is None:
        raise CardRefused("token_already_used")
    return card


def edited(db: Connection, token: str, changes: CardEdit, now: datetime) -> Card:
    card = _card(db, token)
    if card is None:
        raise CardRefused("no_such_card")
    refuse_card_number(changes.holder, changes.address, changes.security_code_token)
    month = changes.expiry_month or card.expiry_month
    year = changes.expiry_year or card.expiry_year
    new_expiry = (month, year) != (card.expiry_month, card.expiry_year)
    if new_expiry and is_over(month, year, now):
        raise CardRefused("expired_card")
    if changes.security_code_token is not None:
        _spend(db, changes.security_code_token, f"{token}:{changes.model_dump_json()}")
    db.execute(
        "UPDATE cards SET expiry_month = ?, expiry_year = ?, cured = max(cured, ?) WHERE token = ?",
        (month, year, new_expiry, token),
    )
    return card.model_copy(update={"expiry_month": month, "expiry_year": year})


def forgotten(db: Connection, token: str) -> None:
    db.execute("UPDATE cards SET forgotten = 1 WHERE token = ?", (token,))


def why_declined(db: Connection, token: str, amount: int, currency: str, now: datetime) -> tuple[str, str | None]:
    """The card's magic name, and the code with which a hold of this amount is declined."""
    row = db.execute(
        "SELECT magic, expiry_month, expiry_year, cured FROM cards WHERE token = ? AND NOT forgotten", (token,)
    ).fetchone()
    if row is None:
        return "", "no_such_card"
    magic, month, year, cured = row
    limits = limits_of(currency)
    code = MAGIC[magic].declines
    if code == "expired_card" and cured:
        code = None
    if is_over(month, year, now):
        code = "expired_card"
    if amount % limits.step_minor:
        code = "amount_off_step"
    if amount < limits.minimum_minor:
        code = "amount_too_small"
    return magic, code


def _card(db: Connection, token: str) -> Card | None:
    found = db.execute(_SELECT, (token,))
    row = found.fetchone()
    return Card(**{name: value for (name, *_), value in zip(found.description, row, strict=True)}) if row else None


def _spend(db: Connection, code_token: str, content: str) -> None:
    """Checks a one-time token of a security code; the same edit again, after a lost answer, may come with it again."""
    if not code_token.startswith(SECURITY_CODE_OK):
        raise CardRefused("incorrect_security_code")
    name, digest = blake2b(code_token.encode()).hexdigest(), blake2b(content.encode(), digest_size=16).digest()
    db.execute("INSERT INTO spent_codes VALUES (?, ?) ON CONFLICT DO NOTHING", (name, digest))
    (first,) = db.execute("SELECT content FROM spent_codes WHERE token = ?", (name,)).fetchone()
    if first != digest:
        raise CardRefused("token_already_used")
