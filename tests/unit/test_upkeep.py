"""Work that `manage.py watch` does in threads: at most once at a time, and not before its rest."""

from threading import Event

from transactions.upkeep import Worker


def test_work_that_rests_is_begun_once_and_work_that_does_not_again() -> None:
    done: list[str] = []
    resting = Worker(lambda: done.append("resting"), rest_seconds=60)
    untiring = Worker(lambda: done.append("untiring"))
    for _turn in range(3):
        resting.begin().result(timeout=5)
        untiring.begin().result(timeout=5)
    assert done.count("resting") == 1
    assert done.count("untiring") == 3


def test_work_under_way_is_not_begun_again() -> None:
    done: list[str] = []
    let_go = Event()

    def work() -> None:
        done.append("begun")
        let_go.wait(timeout=5)

    worker = Worker(work)
    first = worker.begin()
    assert worker.begin() is first
    let_go.set()
    first.result(timeout=5)
    assert done == ["begun"]
