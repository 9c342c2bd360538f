"""Scores of applications: kept when they are sent in, shown as is fit, by who was appointed."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from pytest_django import Settings

from accounts.approvals import approve
from accounts.models import Approval, User
from core import clock
from core.clock import bank_day, start_of
from core.jobs.models import Job, JobState
from core.jobs.running import run_due
from loans.models import Loan, LoanApplication, RiskModel, RiskScore, RiskWatch
from loans.risk import appointing
from loans.risk.appointing import appoint_model, loaded, register, serving
from loans.risk.columns import learn_columns
from loans.risk.demo import ask_for_model
from loans.risk.fairness import bias_over
from loans.risk.features import NAMES
from loans.risk.models import Outcome, RiskAppointment, RiskModelFile, TrainingData
from loans.risk.registry import Entry, Role, store
from loans.risk.training.book import book_loans
from loans.risk.training.comparing import matrix_of
from loans.risk.training.families import families_for
from loans.risk.training.invented import invented_loans
from loans.risk.watching import bias_by_age, note_outcomes, score_left_over, watch_month
from loans.tasks import watch_risk
from tests.factories import bank_accounts, checker, customer_account, inr, order, person
from tests.integration.loans.bank import BEGUN, START, applied, customer, lent, terms
from tests.integration.money.api import client_of, shown
from transactions.chart import Place
from transactions.ledger.posting import Kind, Transfer, post
from transactions.reporting.month import Month

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return a folder and the digest of a model there that learned from invented loans."""
    loans = invented_loans()
    matrix, columns = matrix_of(loans), learn_columns(loans.rows, loans.bad)
    logistic = next(each for each in families_for(len(loans.rows)) if each.name == "logistic")
    folder = tmp_path_factory.mktemp("invented")
    entry = Entry(
        name="invented",
        trained_at=BEGUN.isoformat(),
        code_version="",
        data_fingerprint="",
        family="logistic",
        parameters={},
        loans=len(loans.rows),
        bad=sum(loans.bad),
        metrics={"chosen": {"auc": 0.8}},
        columns=columns,
        slope=1.0,
        intercept=0.0,
        fair_from=0.1,
        weak_from=0.4,
        score_edges=[0.1, 0.3],
        score_shares=[0.6, 0.2, 0.2],
        seen=[],
    )
    return folder, store(folder, entry, logistic.make().fit(matrix.numbers, matrix.bad))


@pytest.fixture
def model(stored: tuple[Path, str]) -> Iterator[RiskModel]:
    """Return the model in the registry; what this process has loaded is forgotten after."""
    bias = {"age": bias_over(["under 30", "30 to 49"], [True, False], [False, True])}
    yield register(*stored, data=TrainingData.INVENTED, bias=bias)
    appointing._loaded.cache_clear()  # noqa: SLF001  # as in another process


@pytest.fixture
def champion(model: RiskModel) -> RiskModel:
    """Return the model, which serves."""
    appoint_model(model, role=Role.CHAMPION, reason="the first", now=BEGUN)
    return model


def earning(income: int = 60_000_00, share: int = 50) -> tuple[User, int]:
    """Return a customer who had an income for half a year, and spent a share of it, in percent."""
    asha, account = customer()
    nostro = bank_accounts().number(Place.NOSTRO)
    for month in range(6, 0, -1):
        day = start_of(START - timedelta(days=30 * month))
        for debit, credit, minor, at in (
            (nostro, account, income, day),
            (account, nostro, income * share // 100, day + timedelta(days=9)),
        ):
            sent = Transfer(debit, credit, inr(minor), Kind.TRANSFER, event_at=at)
            post(sent, order=order())
    return asha, account


def words(answer: Any) -> str:
    assert answer.status_code == 200, answer.content
    return " ".join(answer.content.decode().split())


class TestAnApplication:
    def test_is_scored_when_it_is_sent_in_with_what_the_model_expects(
        self, champion: RiskModel
    ) -> None:
        terms()
        sent = applied(*earning())
        score = RiskScore.objects.get()
        assert (score.application_id, score.model, score.review) == (sent.pk, champion, "")
        assert score.probability is not None
        assert 0 < score.probability < 0.2
        assert score.features is not None
        assert score.features.keys() == {one.name for one in loaded(champion).entry.columns}

    @pytest.mark.usefixtures("champion")
    def test_is_scored_higher_for_who_has_little_left_and_says_why(self) -> None:
        terms()
        applied(*earning())
        applied(*earning(income=12_000_00, share=99))
        well, badly = RiskScore.objects.order_by("pk")
        assert well.probability is not None
        assert badly.probability is not None
        assert badly.probability > 2 * well.probability
        assert badly.reasons
        assert "counts against" not in " ".join(badly.reasons)

    @pytest.mark.usefixtures("champion")
    def test_shows_its_writer_a_band_and_staff_the_figure(self) -> None:
        terms()
        asha, account = earning(income=12_000_00, share=99)
        sent = applied(asha, account)
        score = RiskScore.objects.get()
        asha.refresh_from_db()
        mine = words(client_of(asha).get(f"/loans/applications/{sent.pk}/"))
        assert score.reasons[0] in mine
        assert "no decision" in mine
        assert "invented loans" in mine
        assert f"{score.percent} %" not in mine
        told = shown(client_of(asha), f"loan-applications/{sent.pk}")
        assert (told["risk_band"], told["risk_reasons"]) == (score.band, score.reasons)
        desk = client_of(person(role="employee"))
        assert f"{score.percent} %" in words(desk.get(f"/staff/customers/{asha.number}/loans/"))
        chief = person(role="admin", is_staff=True, is_superuser=True)
        page = f"/admin/loans/loanapplication/{sent.pk}/change/"
        assert f"{score.percent}%" in words(client_of(chief).get(page))

    def test_is_looked_at_by_people_without_a_model_or_a_history(self, model: RiskModel) -> None:
        terms()
        asha, account = earning()
        sent = applied(asha, account)
        appoint_model(model, role=Role.CHAMPION, reason="the first", now=BEGUN)
        applied(*customer())
        assert [one.review for one in RiskScore.objects.order_by("pk")] == [
            "no_model",
            "no_history",
        ]
        page = words(client_of(asha).get(f"/loans/applications/{sent.pk}/"))
        assert "no first look" in page

    @pytest.mark.usefixtures("champion")
    def test_is_looked_at_by_people_once_the_model_was_altered(self) -> None:
        file = RiskModelFile.objects.get()
        RiskModelFile.objects.update(classifier=bytes(file.classifier) + b" ")
        terms()
        applied(*earning())
        score = RiskScore.objects.get()
        assert (score.review, score.probability) == ("model_unfit", None)
        assert "was altered" in score.detail

    @pytest.mark.usefixtures("champion")
    def test_is_looked_at_by_people_beyond_what_training_has_seen(self) -> None:
        terms(least_amount=1_00)
        applied(*earning(), amount=inr(5_00))
        score = RiskScore.objects.get()
        assert score.review == "beyond_range"
        assert score.probability is not None


class TestWhatIf:
    def test_gives_the_model_what_the_application_gives_it_and_keeps_nothing(
        self, champion: RiskModel
    ) -> None:
        terms()
        asha, account = earning()
        typed = {
            "product": "personal",
            "account": str(account),
            "amount": "1,20,000",
            "months": "12",
        }
        pages = client_of(asha)
        found = pages.get("/loans/what-if/", typed).context["found"]
        assert RiskScore.objects.count() == 0
        more = {"purpose": "a wedding", "monthly_income": "60,000"}
        page = pages.post("/loans/new/", {**typed, **more}).headers["Location"]
        pages.post(f"{page}submit/")
        kept = RiskScore.objects.get()
        assert list(found.features) == [one.name for one in loaded(champion).entry.columns]
        assert kept.features == found.features
        assert kept.probability == pytest.approx(found.score.probability)

    def test_stands_at_the_old_address_and_says_what_is_wrong(self) -> None:
        terms()
        asha, account = customer()
        page = client_of(asha)
        assert "Would we lend it?" in words(page.get("/loan_predict", follow=True))
        typed = {"product": "home", "account": str(account), "amount": "1,20,000", "months": "12"}
        assert "no such loan" in words(page.get("/loans/what-if/", typed))


class TestAppointing:
    def test_takes_two_admins_and_stays_written_down(self, model: RiskModel) -> None:
        chief = checker()
        asked = {"model": model.pk, "role": "champion", "reason": "the best we have"}
        pages = client_of(chief)
        assert pages.post("/admin/risk/appoint/", asked).status_code == 403
        for right in ("manage_risk", "view_riskmodel"):
            chief.user_permissions.add(Permission.objects.get(codename=right))
        pages = client_of(chief)
        refused = pages.post("/admin/risk/appoint/", {**asked, "reason": "", "model": 0})
        assert refused.status_code == 422
        assert pages.post("/admin/risk/appoint/", asked).status_code == 302
        assert serving(Role.CHAMPION) is None
        other = checker()
        assert approve(Approval.objects.get().pk, checker=other.pk).state == "done"
        done = RiskAppointment.objects.get()
        assert (done.asked_by, done.approved_by, done.reason) == (chief, other, asked["reason"])
        page = words(pages.get("/admin/risk/"))
        assert "the best we have" in page
        assert "learned from invented loans" in page
        assert "Adverse-impact ratio" in page

    def test_refuses_a_model_that_was_altered(self, model: RiskModel) -> None:
        RiskModelFile.objects.update(entry=b"{}")
        asked = appointing.ask_appointment(
            model.pk, role=Role.CHAMPION, maker=checker().pk, reason="x"
        )
        assert approve(asked.pk, checker=checker().pk).state == "failed"
        assert serving(Role.CHAMPION) is None

    def test_lets_a_challenger_be_watched_and_change_nothing(self, champion: RiskModel) -> None:
        terms()
        applied(*earning())
        appoint_model(champion, role=Role.CHALLENGER, reason="to compare", now=BEGUN)
        applied(*earning())
        alone, watched = RiskScore.objects.order_by("pk")
        assert (alone.challenger, watched.challenger) == (None, champion)
        assert watched.challenger_probability == watched.probability == alone.probability
        appoint_model(champion, role=Role.CHAMPION, reason="promoted", now=BEGUN)
        assert serving(Role.CHALLENGER) is None


def scored_loans(champion: RiskModel, count: int, *, bad: int, at: datetime = BEGUN) -> None:
    """Lend to a person many times, by rows alone, the first of them bad."""
    asha, account = customer()
    lent_by = terms()
    for number in range(count):
        asked = LoanApplication.objects.create(
            applicant=asha,
            account=account,
            terms=lent_by,
            amount=1_20_000_00,
            months=12,
            purpose="test",
            monthly_income=0,
            state="accepted",
            created_at=at,
            submitted_at=at,
        )
        Loan.objects.create(
            number=1_000 + 2 * number,
            dues=1_001 + 2 * number,
            application=asked,
            borrower=asha,
            account=account,
            terms=lent_by,
            amount=asked.amount,
            months=12,
            state="written_off" if number < bad else "repaid",
            accepted_at=at,
        )
        RiskScore.objects.create(
            application=asked,
            model=champion,
            probability=0.02,
            band="strong",
            features=dict.fromkeys(NAMES, float(number)),
            scored_at=at,
        )


class TestWatching:
    def test_notes_what_became_of_loans_and_raises_both_alarms_once_a_month(
        self, champion: RiskModel
    ) -> None:
        scored_loans(champion, 60, bad=12)
        assert note_outcomes(now=BEGUN) == 60
        assert note_outcomes(now=BEGUN) == 0
        month = Month(START.replace(day=1))
        watch = watch_month(month)
        assert watch == watch_month(month) == RiskWatch.objects.get()
        assert watch is not None
        assert (watch.scores, watch.ended, watch.bad) == (60, 60, 12)
        assert watch.expected == pytest.approx(1.2)
        assert (watch.is_drifting, watch.is_failing) == (True, True)
        empty = watch_month(month.next)
        assert empty is not None
        assert (empty.stability, empty.is_drifting) == (None, False)
        (group,) = bias_by_age(champion)
        assert (group.group, group.loans, group.bad, group.alarm) == ("unknown", 60, 12, False)

    def test_learns_from_the_banks_own_loans_by_what_was_known(self, champion: RiskModel) -> None:
        scored_loans(champion, 12, bad=3)
        assert book_loans().described() == "0 loans, 0 bad"
        note_outcomes(now=BEGUN)
        loans = book_loans()
        assert loans.described() == "12 loans, 3 bad"
        assert list(loans.rows[5]) == list(NAMES)

    @pytest.mark.usefixtures("champion")
    def test_scores_what_was_lent_before_as_of_its_own_day(self) -> None:
        terms()
        loan = lent(*earning())
        first = RiskScore.objects.get()
        RiskScore.objects.all().delete()
        # The loan itself, paid out since, is nothing that was known.
        assert score_left_over(now=clock.now()) == 1
        again = RiskScore.objects.get()
        assert (again.application_id, again.features) == (loan.application_id, first.features)
        assert again.probability == pytest.approx(first.probability)
        watch_risk()
        assert RiskScore.objects.get().outcome == Outcome.BAD
        assert not RiskWatch.objects.get().is_failing

    @pytest.mark.usefixtures("champion")
    def test_calls_a_loan_bad_that_is_more_than_90_days_late(self) -> None:
        terms()
        asha, account = earning()
        lent(asha, account)
        assert note_outcomes(now=BEGUN) == 0
        assert note_outcomes(now=BEGUN + timedelta(days=130)) == 1
        assert RiskScore.objects.get().outcome == Outcome.BAD


class TestTheBook:
    @pytest.mark.usefixtures("champion")
    def test_is_scored_anew_once_a_day_and_shown(self) -> None:
        terms()
        lent(*earning())
        chief = client_of(person(role="admin", is_staff=True, is_superuser=True))
        for _ in range(2):
            assert chief.post("/admin/risk/rescore/").status_code == 302
            run_due("long", seconds=60)
        job = Job.objects.get(name="rescore_book")
        assert (job.state, job.done, job.total) == (JobState.DONE, 1, 1)
        first, again = RiskScore.objects.order_by("pk")
        assert again.rescored_on == bank_day(clock.now())
        assert again.probability == pytest.approx(first.probability)
        assert "1 loans that run" in words(chief.get("/admin/risk/"))

    def test_is_not_scored_or_learned_from_where_that_tells_nothing(self) -> None:
        chief = client_of(person(role="admin", is_staff=True, is_superuser=True))
        assert "No model scores applications" in refused(chief.post("/admin/risk/rescore/"))
        assert "10 of each are needed" in refused(chief.post("/admin/risk/train/"))
        assert Job.objects.count() == 0
        assert "No model serves" in words(chief.get("/admin/risk/"))


def refused(answer: Any) -> str:
    assert answer.status_code == 409
    return " ".join(answer.content.decode().split())


def test_the_demo_makes_a_model_of_its_own_in_the_background(
    settings: Settings, tmp_path: Path
) -> None:
    settings.RISK_MODELS = tmp_path
    terms(most_months=24)
    customer_account(person(email="priya.nair@demo.example"))
    for _ in range(2):
        ask_for_model(clock.now())
        run_due("long", seconds=60)
    assert Job.objects.get().state == JobState.DONE
    model = serving(Role.CHAMPION)
    assert model is not None
    assert model.data == "invented"
    assert model.auc > 0.7
    assert {"age", "gender"} == set(model.bias)
    assert RiskAppointment.objects.get().reason.startswith("made by the demo")
    assert RiskScore.objects.get().review == "no_history"
