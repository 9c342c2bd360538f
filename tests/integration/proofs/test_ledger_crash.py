"""The crash proof in short, and that it can fail."""

from tests.proofs.ledger_crash import FORGETFUL, Plan, prove


def test_a_killed_server_loses_no_answer_and_doubles_none() -> None:
    outcome = prove(Plan(processes=4, seconds=4, kills=2, seed=1))
    assert outcome.failures == []
    assert outcome.counts["without_answer"] > 0
    assert outcome.counts["transfers_in_answers"] > 50


def test_the_proof_sees_answers_lost_by_a_forgetful_server() -> None:
    outcome = prove(Plan(processes=4, seconds=3, kills=1, seed=1, settings=FORGETFUL))
    assert any("answered and are lost" in failure for failure in outcome.failures)
