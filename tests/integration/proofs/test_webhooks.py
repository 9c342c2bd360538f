"""The proof of webhooks in short, and that it can fail."""

from tests.proofs.webhooks import Plan, prove


def test_every_event_comes_once_whatever_receiver_and_workers_do() -> None:
    outcome = prove(Plan(seconds=6, postings=120, kills=3, copies=1, seed=1))
    assert outcome.failures == []
    assert outcome.counts["kills"] == 3
    assert outcome.counts["attempts"] > outcome.counts["events"] > 100
