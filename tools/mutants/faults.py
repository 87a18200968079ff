"""The faults that cost others events, money or weeks, each as a change of our text, and the test that must see it."""

from __future__ import annotations

from typing import NamedTuple

LEDGER_SQL = "adapters/postgres/migrations/0001_ledger.sql"
OPEN_WRITERS = "tests/system/test_open_writers.py"


class Edit(NamedTuple):
    """A passage that stands exactly once in a file, and what is put in its place."""

    file: str
    passage: str
    instead: str


class Fault(NamedTuple):
    name: str
    edits: list[Edit]
    test: str


IS_REPEATED = """  repeated := exists (
    select from ledger.commands c
     where c.organization_id = organization and c.command_id = command and c.step = command_step);
"""
LOCK = "  perform pg_advisory_xact_lock(uuid_hash_extended(organization, 0));\n"
RECEIPT = """  insert into ledger.commands values (organization, command, command_step, command_fingerprint,
    append.position, append.organization_seq, append.events, append.recorded_at);
"""
LOOK_AT_FUTURES = """            for future in futures:
                future.get(timeout=0)  # the commit would answer even if one of them was lost
"""
RESIZED = """        over_assigned_until: date | None,
    ) -> None:
        self.total = total
"""

FAULTS = [
    Fault(
        "no transaction id before the position",
        [Edit(LEDGER_SQL, "  perform pg_current_xact_id();\n", "")],
        f"{OPEN_WRITERS}::test_a_writer_that_has_a_position_and_has_written_nothing_holds_followers_back",
    ),
    Fault(
        "position sequence with CACHE 20, and a start that accepts it",
        [
            Edit(LEDGER_SQL, "as bigint cache 1;", "as bigint cache 20;"),
            Edit(
                "adapters/postgres/ledger.py",
                "'ledger.position'::regclass\")) != 1:",
                "'ledger.position'::regclass\")) != 20:",
            ),
        ],
        f"{OPEN_WRITERS}::test_positions_of_two_sessions_rise_in_the_order_of_their_saves",
    ),
    Fault(
        "the command looked up before the lock",
        [Edit(LEDGER_SQL, IS_REPEATED, ""), Edit(LEDGER_SQL, LOCK, IS_REPEATED + LOCK)],
        f"{OPEN_WRITERS}::test_repeats_that_queue_for_one_organization_are_recorded_once",
    ),
    Fault(
        "no row for a command that told nothing",
        [Edit(LEDGER_SQL, RECEIPT, f"  if append.events > 0 then\n{RECEIPT}  end if;\n")],
        "tests/adapters/postgres/test_ledger.py::test_a_command_that_told_nothing_stays_done",
    ),
    Fault(
        "no guard of what was only seen",
        [Edit(LEDGER_SQL, "  if cardinality(seen) > 0 then\n", "  if false then\n")],
        "tests/services/test_assign_licenses.py::test_a_member_removed_meanwhile_gets_no_license",
    ),
    Fault(
        "a follower that takes what is there: id > last",
        [
            Edit(
                "adapters/postgres/follower.py",
                'if self._one("SELECT pg_snapshot_xmin(pg_current_snapshot()) > %s::xid8", (own,)):',
                "if own:",
            )
        ],
        f"{OPEN_WRITERS}::test_a_writer_that_has_written_and_not_committed_holds_followers_back",
    ),
    Fault(
        "a commit without a look at the futures",
        [Edit("adapters/kafka/relay.py", LOOK_AT_FUTURES, "")],
        "tests/adapters/kafka/test_commit.py::test_a_batch_with_a_lost_message_is_never_committed",
    ),
    Fault(
        "a relay that resumes from zero",
        [Edit("adapters/kafka/relay.py", "after=position, watchdog=watchdog)", "after=None, watchdog=watchdog)")],
        "tests/system/test_resume.py::test_a_relay_goes_on_from_the_position_in_the_log",
    ),
    Fault(
        "a rule in the body of an @event",
        [
            Edit(
                "domain/license_pool.py",
                RESIZED,
                f"{RESIZED}        if total < self.assigned:\n            raise ValueError(total)\n",
            )
        ],
        "tests/tidy/test_event_bodies.py::test_no_rule_stands_in_an_event_body",
    ),
    Fault(
        "a charge that is sent again without asking the provider for its own object",
        [
            Edit(
                "services/charging.py",
                "known = None if payment.id in books.fresh else till.gateway.find(handle)",
                "known = None",
            )
        ],
        "tests/system/money/test_kills.py::test_a_kill_at_any_step_changes_nothing[renewal of two profiles]",
    ),
    Fault(
        "a purchase that is recorded and whose hold nobody takes",
        [Edit("services/held_payment.py", "        claim(deal.books, held)\n", "")],
        "tests/services/test_buy_subscription.py::test_it_is_paid_for_first",
    ),
    Fault(
        "a credit by the day with a day too many",
        [
            Edit(
                "domain/crediting.py",
                "return min(standing.days, max(0, (charge.cycle.end - utc_date(at)).days))",
                "return max(0, (charge.cycle.end - utc_date(at)).days) + 1",
            )
        ],
        "tests/domain/test_crediting.py::test_a_day_that_was_credited_is_not_counted_again",
    ),
    Fault(
        "a tax of credit notes that is rounded for each by itself",
        [
            Edit(
                "domain/invoice.py",
                "return self.tax_rate.on(before) - self.tax_rate.on(before - net_minor)",
                "return self.tax_rate.on(net_minor)",
            )
        ],
        "tests/domain/test_credit_notes.py::test_three_credit_notes_of_0_10_at_5_percent_credit_0_01_0_00_and_0_01",
    ),
    Fault(
        "a refund that is not counted on its invoice",
        [Edit("services/billing.py", "            invoice.count_refund(payment_id, refund_id, refund)\n", "")],
        "tests/services/test_cancel_subscription.py::test_now_ends_the_subscription_and_closes_the_pool",
    ),
    Fault(
        "an audit that takes what a later release added piece by piece",
        [
            Edit(
                "adapters/kafka/releases.py",
                "if in_order(added.get(name, FIRST)) <= in_order(release)}",
                "if added.get(name, FIRST) != release or release == FIRST}",
            )
        ],
        "tests/adapters/kafka/test_older_messages.py::test_headers_as_no_release_sent_them_are_refused",
    ),
    Fault(
        "a gate that lets a field go",
        [Edit("tools/contract/compatibility.py", '            yield path, "was removed or renamed"\n', "")],
        "tests/tidy/test_event_gate.py::test_a_change_that_breaks_a_consumer_is_refused",
    ),
    Fault(
        "a second edition that tells the versions of the first",
        [Edit("adapters/kafka/batch.py", "types = types_of(edition)", "types = types_of(1)")],
        "tests/adapters/kafka/test_editions.py::test_a_batch_is_of_one_edition_and_so_is_its_position",
    ),
    Fault(
        "a save that forgets what the caller has seen",
        [Edit("services/ledger.py", "        refuse_changed(because, dict(decided_on.keys()))\n", "")],
        "tests/services/test_if_versions.py::test_of_many_who_have_seen_the_same_one_succeeds",
    ),
    Fault(
        "a pool that lends a connection as it comes",
        [Edit("adapters/postgres/pool.py", "if self._walled and shows != (visible := wall.visible()):", "if False:")],
        "tests/adapters/postgres/test_wall_pool.py::test_a_connection_shows_what_the_context_may_see",
    ),
    Fault(
        "a gate that lets everybody into every organization",
        [
            Edit(
                "adapters/http/gate.py",
                "        if named not in {None, principal.organization}:\n",
                "        if False:\n",
            )
        ],
        "tests/adapters/http/test_gate.py::test_another_organization_does_not_exist",
    ),
    Fault(
        "an erasure whose event and deletion are two transactions",
        [
            Edit(
                "adapters/postgres/recorder.py",
                "with connection.transaction() if erasing else nullcontext():",
                "with nullcontext():",
            )
        ],
        "tests/adapters/postgres/test_erasures.py::test_the_event_and_the_deletion_are_one_save",
    ),
    Fault(
        "an erasure that was cut off and is given up without asking history",
        [
            Edit(
                "adapters/postgres/erasures.py",
                "    if connection.execute(RECORDED, place).fetchall() == [(True,)]:\n",
                "    if False:\n",
            )
        ],
        "tests/adapters/postgres/test_erasures.py::test_killed_after_the_save_it_was_done",
    ),
    Fault(
        "a start that does not look whether the database is a backup's",
        [
            Edit(
                "adapters/composition.py",
                "        self.erasures.catch_up()  # before anybody is answered: the database may be a backup's\n",
                "",
            )
        ],
        "tests/adapters/cli/test_privacy_verbs.py::test_a_database_of_before_is_brought_to_the_list_by_every_start",
    ),
    Fault(
        "an auditor who reads and nobody knows",
        [Edit("services/open_to_auditor.py", "        record_read(self._ledger, command)\n", "")],
        "tests/services/test_read_facts.py::test_with_one_names_are_told_and_that_is_recorded_first",
    ),
    Fault(
        "an invoice whose payer is forgotten",
        [Edit("services/fact_origins.py", "if last is not None and last >= today:", "if False:")],
        "tests/services/test_erase_personal_facts.py::test_what_stands_on_an_invoice_is_kept_and_nothing_is_erased",
    ),
    Fault(
        "a leaf that may pass for a node of the tree",
        [
            Edit(
                "projections/audit/merkle.py", 'return sha256(b"\\x00" + leaf).digest()', "return sha256(leaf).digest()"
            )
        ],
        "tests/projections/test_merkle.py::test_the_published_roots",
    ),
    Fault(
        "a signature in any spelling of base64",
        [
            Edit(
                "adapters/proof/notes.py",
                "return found if b64encode(found).decode() == encoded else None",
                "return found",
            )
        ],
        "tests/adapters/proof/test_forgeries.py::test_no_forgery_is_accepted",
    ),
    Fault(
        "a checkpoint that any known key may have signed",
        [
            Edit(
                "adapters/proof/trust.py",
                "        if not any(one.kind == ED25519 for one in by_log):\n",
                "        if not opened.signed:\n",
            )
        ],
        "tests/adapters/proof/test_trust.py::test_without_the_logs_own_signature_witnesses_prove_nothing",
    ),
    Fault(
        "a sealer that does not look at what it signed before",
        [
            Edit(
                "adapters/proof/sealer.py",
                "        if self.last and frontier.root() != self.last.checkpoint.root:\n",
                "        if False:\n",
            )
        ],
        "tests/adapters/proof/test_sealer_goes_on.py::test_a_copy_that_went_on_and_was_sealed_by_others_is_told",
    ),
    Fault(
        "a sealer that signs what it has in memory",
        [
            Edit(
                "adapters/proof/reread.py",
                "        if leaf_hash != row.hash_at(place) or",
                "        if False and",
            )
        ],
        "tests/adapters/proof/test_sealer_refuses.py::test_what_is_changed_between_numbering_and_signing_is_not_signed",
    ),
    Fault(
        "a sealer that gives out what it has not kept",
        [
            Edit(
                "adapters/proof/sealer.py",
                "        self._folder.signed(signed.note)\n        publish(self._session, self._folder, signed, now)\n",
                "        publish(self._session, self._folder, signed, now)\n        self._folder.signed(signed.note)\n",
            )
        ],
        "tests/adapters/proof/test_sealer_kills.py::test_it_dies_at_each_point_of_its_work",
    ),
    Fault(
        "a witness that does not look at what it cosigned before",
        [Edit("adapters/proof/witness.py", "            if before:\n", "            if False:\n")],
        "tests/adapters/proof/test_witness.py::test_a_smaller_tree_is_refused_and_kept_as_evidence",
    ),
    Fault(
        "a witness that gives out what it has not kept",
        [Edit("adapters/proof/witness.py", "            write_whole(self.state, cosigned)\n", "")],
        "tests/adapters/proof/test_witness.py::test_it_cosigns_a_tree_that_grows",
    ),
    Fault(
        "an audit that passes over what stands between the leaves",
        [
            Edit(
                "projections/audit/sealed.py",
                '                self._note(Finding("inserted", event.position, index, event, None))\n'
                "                event = next",
                "                event = next",
            )
        ],
        "tests/projections/test_sealed.py::test_an_inserted_event_is_named",
    ),
    Fault(
        "a verifier that looks at no signature",
        [
            Edit(
                "adapters/proof/verify_pack.py",
                "Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)",
                "Ed25519PublicKey.from_public_bytes(self.public)",
            )
        ],
        "tests/adapters/proof/test_forged_packs.py::test_a_signature_of_another_text_is_none",
    ),
    Fault(
        "a verifier that takes a member of any content for the one that its checksum is of",
        [Edit("adapters/proof/verify_pack.py", "        if crc != due:\n", "        if False:\n")],
        "tests/adapters/proof/test_forged_packs.py::test_forged_packs_are_not_accepted",
    ),
    Fault(
        "a verifier that says nothing of what stands behind the pack",
        [Edit("adapters/proof/verify_pack.py", " or self.file.read(1):", ":")],
        "tests/adapters/proof/test_forged_packs.py::test_what_stands_behind_the_pack_or_in_front_of_it_is_refused",
    ),
    Fault(
        "an export that hands out what is not as it was signed",
        [
            Edit(
                "adapters/proof/export_pack.py",
                "            if gap or index is None or",
                "            if index is None or",
            )
        ],
        "tests/adapters/proof/test_export_pack.py::test_what_is_not_as_it_was_signed_gives_no_pack",
    ),
    Fault(
        "a question about the past that does not look for what a late run recorded behind it",
        [Edit("adapters/postgres/recorder.py", "(effective_from <= %(effective)b OR since > low)", "(since > low)")],
        "tests/adapters/postgres/test_milestones.py"
        "::test_the_answer_is_that_of_the_whole_replay_with_milestones_and_without",
    ),
    Fault(
        "business time as a beginning of history",
        [
            Edit(
                "projections/audit/replay.py",
                "        if not as_of.counts(event):\n            continue\n",
                "        if not as_of.counts(event):\n            break\n",
            )
        ],
        "tests/services/test_read_as_of.py::test_what_a_late_run_recorded_has_happened_on_the_day_on_which_it_was_due",
    ),
    Fault(
        "a license that is paid for on the day on which it was given back",
        [Edit("projections/audit/held_on.py", "if line and self.day >= line", "if line and self.day > line")],
        "tests/projections/test_held_on.py::test_a_license_that_was_added_and_given_back_is_paid_for_until_it_was",
    ),
    Fault(
        "a corrected price that credit notes do not follow",
        [
            Edit(
                "projections/audit/accounts.py",
                "less = self.price(before, days) - self.price(after, days)",
                "less = self.amount_minor * (before - after) // before",
            )
        ],
        "tests/projections/test_rerate.py::test_a_corrected_price_gives_the_cents_of_the_worked_example",
    ),
]
