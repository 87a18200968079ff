"""Nothing personal is in history: it holds ids and commitments, and what they commit to can be forgotten."""

from typing import cast

import pytest

from adapters.postgres.recorder import LedgerRecorder
from services import ledger as ledger_module
from services.cancel_subscription import CancelSubscription
from services.grant_role import GrantRole
from services.resize_licenses import ResizeLicenses
from services.schedule_licenses import ScheduleLicenses
from services.unassign_licenses import UnassignLicenses
from tests.services.contoso import THE_FIVE, Contoso

FEEDBACK = "Zu langsam für Melissa, 너무 느려요, 📉📉📉"


def a_full_story(contoso: Contoso) -> None:
    bought, scheduled = contoso.buys(licenses=10), contoso.buys()
    contoso.run(contoso.command(GrantRole, contoso.admin, member_id=contoso.cynthia, role="auditor"))
    contoso.assigns(bought, contoso.ben, contoso.david)
    contoso.imports(THE_FIVE[1].model_copy(update={"job_title": "Analyst of Things"}))
    contoso.run(contoso.command(ResizeLicenses, contoso.buyer, subscription_id=bought, total=12))
    contoso.run(contoso.command(ScheduleLicenses, contoso.buyer, subscription_id=bought, total=9))
    contoso.run(contoso.command(UnassignLicenses, contoso.buyer, subscription_ids=(bought,), user_ids=(contoso.ben,)))
    contoso.deactivates(contoso.ben)
    contoso.removes(contoso.david)
    for subscription_id, when in ((bought, "now"), (scheduled, "term_end")):
        contoso.run(
            contoso.command(
                CancelSubscription,
                contoso.buyer,
                subscription_id=subscription_id,
                when=when,
                reason="other",
                feedback=FEEDBACK,
            )
        )


def personal_words() -> set[str]:
    details = {detail for row in THE_FIVE for detail in row.details.values()} | {"Analyst of Things", FEEDBACK}
    words = {word for detail in details for word in detail.split()}
    return details | {word for word in words if len(word) > 2} | {"contoso.com"}  # "IT" is anywhere


def test_no_name_and_no_feedback_is_in_any_stored_byte(contoso: Contoso) -> None:
    a_full_story(contoso)
    history = contoso.history()
    assert len({recorded.topic for recorded in history}) >= 14
    stored = b"\n".join(recorded.topic.encode() + recorded.state + recorded.metadata for recorded in history).lower()
    for word in personal_words():
        for spelled in (word.encode(), word.encode("unicode-escape"), word.encode("utf-16-le")):
            assert spelled.lower() not in stored, word


def test_nor_in_the_receipts_and_snapshots(contoso: Contoso, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "SNAPSHOT_EVERY", 0)
    a_full_story(contoso)
    with cast("LedgerRecorder", contoso.ledger.recorder).datastore.get_connection() as connection:
        rows = connection.execute(
            "SELECT to_jsonb(c)::text FROM ledger.commands c WHERE organization_id = %(id)s"
            " UNION ALL SELECT convert_from(state, 'UTF8') FROM ledger.snapshots WHERE organization_id = %(id)s",
            {"id": contoso.organization_id},
        ).fetchall()
    stored = "\n".join(row for (row,) in rows)
    assert '"holders"' in stored
    assert not [word for word in personal_words() if len(word) > 4 and word in stored]
