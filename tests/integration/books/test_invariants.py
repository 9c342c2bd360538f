"""Each check of the books finds what it is for, and names the account."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import call_command

from tests.integration.books.conftest import BusyBank
from transactions.ledger.invariants import CHECKS, Finding, findings

LET_PASS = """
CREATE OR REPLACE FUNCTION ledger.refuse_rewrite() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN RETURN coalesce(new, old); END'
"""
STRANGER = 999_999_999_999
NOWHERE = "00000000-0000-7000-8000-000000000000"


@dataclass(frozen=True)
class Damage:
    """What a superuser does to the books, which check sees it, and whom it names.

    ``{payer}``, ``{payee}``, ``{fees}`` and ``{transfer}`` stand for those of the busy bank.
    """

    check: str
    statement: str
    account: str | None = "payer"


LAST = "WHERE id = '{transfer}'"
DAMAGES = (
    Damage(
        "every_leg_continues_its_account",
        "UPDATE ledger.journal SET debit_after = debit_after + 1 " + LAST,
    ),
    Damage(
        "every_leg_continues_its_account",
        "UPDATE ledger.journal SET credit_after = NULL " + LAST,
        "payee",
    ),
    Damage(
        "balances_equal_the_journal",
        "UPDATE ledger.account SET balance = balance + 1 WHERE number = {payer}",
    ),
    Damage("balances_equal_the_journal", "DELETE FROM ledger.journal " + LAST),
    Damage("balances_equal_the_journal", "UPDATE ledger.folded SET balance = balance + 1", "fees"),
    Damage("folds_equal_the_journal", "UPDATE ledger.folded SET balance = balance + 1", "fees"),
    Damage("folds_equal_the_journal", "DELETE FROM ledger.tail WHERE name = 'fold'", "fees"),
    Damage(
        "both_sides_are_equal",
        "UPDATE ledger.account SET balance = balance + 1 WHERE number = {payer}",
        None,
    ),
    Damage(
        "legs_stand_on_known_accounts",
        f"UPDATE ledger.journal SET credit = {STRANGER} " + LAST,
        str(STRANGER),
    ),
    Damage(
        "legs_are_of_one_currency",
        "UPDATE ledger.account SET currency = 'JPY' WHERE number = {payee}",
    ),
    Damage(
        "summed_accounts_have_no_after_balance",
        "UPDATE ledger.journal SET credit_after = 1 WHERE credit = {fees}",
        "fees",
    ),
    Damage(
        "held_equals_open_holds",
        "UPDATE ledger.account SET held = held + 1 WHERE number = {payer}",
    ),
    Damage("held_equals_open_holds", "DELETE FROM ledger.hold WHERE state = 'open'"),
    Damage(
        "captures_equal_their_transfers",
        "UPDATE ledger.hold SET captured = captured - 1 WHERE state = 'captured'",
    ),
    Damage(
        "rows_are_of_known_accounts",
        "INSERT INTO ledger.holder (account, user_id, rights) VALUES (100999999999, 1, 'owner')",
        "100999999999",
    ),
    Damage(
        "accounts_that_moved_left_nothing",
        "UPDATE ledger.account SET status = 'moved' WHERE number = {payer}",
    ),
    Damage("crossings_stand_against_clearing", "UPDATE ledger.journal SET peer = 1 " + LAST),
    Damage(
        "floors_follow_holds_and_limits",
        "UPDATE ledger.account SET floor = floor - 1 WHERE number = {payer}",
    ),
    Damage(
        "floors_follow_holds_and_limits",
        "UPDATE ledger.account SET floor = floor + 1 WHERE number = {payer}",
    ),
    Damage(
        "floors_follow_holds_and_limits",
        "UPDATE ledger.account SET floor = NULL WHERE number = {payer}",
    ),
    Damage(
        "usual_accounts_are_what_post_v1_takes_them_for",
        "UPDATE ledger.account SET usual = true WHERE number = {payer}",
    ),
    Damage(
        "spending_is_never_negative",
        "UPDATE ledger.account SET spent = -1 WHERE number = {payer}",
    ),
    Damage(
        "reversals_mirror_their_originals",
        "UPDATE ledger.reversal SET original_id = '{transfer}' "
        "WHERE original_id = (SELECT min(original_id::text)::uuid FROM ledger.reversal)",
    ),
    Damage(
        "reversals_mirror_their_originals",
        "UPDATE ledger.journal SET kind = 'reversal' " + LAST,
    ),
    Damage(
        "groups_are_whole",
        "DELETE FROM ledger.journal WHERE memo = 'and back'",
    ),
    Damage("groups_are_whole", "UPDATE ledger.journal SET group_id = id " + LAST),
    Damage(
        "groups_are_whole",
        "DELETE FROM ledger.reversal WHERE original_id = "
        "(SELECT id FROM ledger.journal WHERE memo = 'and back')",
    ),
    Damage(
        "answers_stand_for_what_was_done",
        f"UPDATE ledger.request SET result_id = '{NOWHERE}' WHERE result_id = '{{transfer}}'",
        None,
    ),
    Damage(
        "references_stand_for_their_transfers",
        "DELETE FROM ledger.reference WHERE reference = 'march'",
    ),
    Damage(
        "references_stand_for_their_transfers",
        "UPDATE ledger.reference SET transfer_id = '{transfer}' WHERE reference = 'march'",
    ),
    Damage("interest_is_what_was_earned", "UPDATE ledger.accrual SET balance = 2 * balance"),
    Damage("interest_is_what_was_earned", "DELETE FROM ledger.accrual"),
    Damage(
        "interest_is_what_was_earned",
        "INSERT INTO ledger.accrual VALUES ('2024-01-31', {payee}, 1000000000, 35000)",
        "payee",
    ),
    Damage(
        "interest_is_what_was_earned",
        "INSERT INTO ledger.accrual VALUES ('2099-12-31', {payee}, 1000000000, 35000);"
        " INSERT INTO ledger.account_event (account, action, client, details) VALUES"
        " ({payee}, 'set_status', 0, jsonb_build_object('to', 'closed', 'interest', 0))",
        "payee",
    ),
    Damage("history_is_guarded", "DROP TRIGGER refuse_rewrite ON ledger.accrual", None),
    Damage(
        "ids_are_of_version_7",
        "UPDATE ledger.journal SET id = overlay(id::text PLACING '4' FROM 15)::uuid " + LAST,
    ),
    Damage(
        "accounts_know_their_newest_transfer",
        "UPDATE ledger.account SET last_tick = last_tick - 1 WHERE number = {payer}",
    ),
    Damage(
        "no_transfer_is_of_a_later_transaction",
        "UPDATE ledger.journal SET xid = '9999999999' " + LAST,
    ),
    Damage(
        "the_default_partition_is_empty",
        "UPDATE ledger.journal SET id = ('6' || substr(id::text, 2))::uuid " + LAST,
    ),
    Damage(
        "history_is_guarded",
        "ALTER TABLE ledger.journal_default DISABLE TRIGGER refuse_truncate",
        None,
    ),
    Damage("history_is_guarded", "ALTER TABLE ledger.reversal ENABLE TRIGGER refuse_rewrite", None),
    Damage("only_the_functions_write", "GRANT DELETE ON ledger.journal_default TO bank_app", None),
    Damage("only_the_functions_write", "GRANT UPDATE (memo) ON ledger.journal TO PUBLIC", None),
    Damage("only_the_functions_write", "GRANT CREATE ON SCHEMA ledger TO bank_app", None),
    Damage("only_the_functions_write", "GRANT bank_owner TO bank_app", None),
    Damage(
        "privileged_functions_trust_no_caller",
        "ALTER FUNCTION ledger.fold_v1() RESET search_path",
        None,
    ),
)


@pytest.fixture
def superuser(busy_bank: BusyBank) -> Iterator[psycopg.Cursor[Any]]:
    """Give a superuser's transaction, past all triggers and rolled back in the end."""
    with psycopg.connect(busy_bank.superuser_url) as connection:
        connection.execute(LET_PASS)
        yield connection.cursor()
        connection.rollback()


@pytest.mark.usefixtures("busy_bank")
def test_a_busy_bank_is_clean() -> None:
    out = StringIO()
    call_command("check_books", stdout=out)
    answer = json.loads(out.getvalue())
    assert answer["clean"] is True
    assert answer["checks"] == list(CHECKS)
    (node,) = answer["nodes"]
    assert node["node"] == "default"
    assert node["transfers"] == 14


def test_every_check_has_its_damage() -> None:
    assert {damage.check for damage in DAMAGES} == set(CHECKS)


@pytest.mark.parametrize("damage", DAMAGES, ids=[damage.check for damage in DAMAGES])
def test_finds(damage: Damage, busy_bank: BusyBank, superuser: psycopg.Cursor[Any]) -> None:
    names = {name: str(getattr(busy_bank, name)) for name in ("payer", "payee", "fees", "transfer")}
    superuser.execute(damage.statement.format(**names).encode())
    assert superuser.rowcount != 0
    found = findings(superuser)
    named = None if damage.account is None else int(names.get(damage.account, damage.account))
    assert (damage.check, named) in {(finding.check, finding.account) for finding in found}, found


def test_a_bank_without_damage_has_no_finding(superuser: psycopg.Cursor[Any]) -> None:
    assert findings(superuser) == []


def test_the_command_exits_with_1_and_names_the_account(
    busy_bank: BusyBank,
) -> None:
    def credit(minor: int) -> None:
        with psycopg.connect(busy_bank.superuser_url) as superuser:
            superuser.execute(
                "UPDATE ledger.account SET balance = balance + %s WHERE number = %s",
                [minor, busy_bank.payer],
            )

    credit(10)
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("check_books", stdout=out)
    credit(-10)
    assert ended.value.code == 1
    answer = json.loads(out.getvalue())
    assert answer["clean"] is False
    found = [Finding(**finding) for finding in answer["nodes"][0]["findings"]]
    assert ("balances_equal_the_journal", busy_bank.payer) in {(f.check, f.account) for f in found}
