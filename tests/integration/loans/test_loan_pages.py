"""The pages of loans, and the API beside them: from the quote to the payoff."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from accounts.approvals import approve
from accounts.models import Approval, Viewing
from core import clock
from loans.applying import save_draft
from loans.demo import add_loan_terms
from loans.models import Loan, LoanApplication, LoanTerms
from loans.showing import loans_of
from portals.templatetags.bank import account_number
from tests.factories import checker, customer_account, person
from tests.integration.loans.bank import applied, customer, lent, terms, wish
from tests.integration.money.api import client_of, post, refusal, shown

pytestmark = pytest.mark.django_db


def text_of(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def figures(to: int, **changes: str) -> dict[str, str]:
    known = {"product": "personal", "account": str(to), "amount": "1,20,000", "months": "12"}
    return {**known, **changes}


class TestPages:
    def test_quote_what_is_typed_and_lead_to_the_application(self) -> None:
        terms()
        asha, account = customer()
        page = client_of(asha).get("/loans/quote/", figures(account))
        assert "10,661.85" in text_of(page)
        assert f"/loans/new/?product=personal&amp;account={account}" in text_of(page)
        assert LoanApplication.objects.count() == 0

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"amount": "5"}, "This loan is of"),
            ({"amount": "x"}, "not an amount"),
            ({"months": "0"}, "greater than or equal to 1"),
            ({"months": "61"}, "runs for 6 to 60 months"),
            ({"product": "home"}, "no such loan"),
            ({"account": "1"}, "not one of the available choices"),
        ],
    )
    def test_say_what_is_wrong_with_it(self, changes: dict[str, str], words: str) -> None:
        terms()
        asha, account = customer()
        answer = client_of(asha).get("/loans/quote/", figures(account, **changes))
        assert answer.status_code == 200
        assert words in text_of(answer)

    def test_take_an_application_to_a_loan_and_its_payoff(self) -> None:
        terms()
        asha, account = customer(balance=50_000_00)
        pages = client_of(asha)
        typed = {**figures(account), "purpose": "a wedding", "monthly_income": "60,000"}
        page = pages.post("/loans/new/", typed).headers["Location"]
        assert "This is a draft" in text_of(pages.get(page))
        assert "please bring it" in text_of(pages.post(f"{page}submit/", follow=True))
        decide(LoanApplication.objects.get())
        assert "We offer you" in text_of(pages.get(page))
        answer = pages.post(f"{page}accept/", follow=True)
        assert "The loan is paid out" in text_of(answer)
        loan = Loan.objects.get()
        assert "1,00,000" in text_of(pages.get("/loans/"))
        paying = {"account": account, "amount": "5,000", "token": str(uuid4())}
        pages.post(f"/loans/{loan.pk}/pay/", paying)
        again = pages.post(f"/loans/{loan.pk}/pay/", paying, follow=True)
        assert "Your payment is booked" in text_of(again)
        assert "95,000.00" in text_of(again)
        too_much = {**paying, "amount": "1,20,000", "token": str(uuid4())}
        refused = pages.post(f"/loans/{loan.pk}/pay/", too_much)
        assert (refused.status_code, "more than is owed" in text_of(refused)) == (422, True)

    def test_repay_all_by_one_button(self) -> None:
        terms()
        asha, account = customer(balance=50_000_00)
        loan = lent(asha, account, now=clock.now() - timedelta(days=3))
        page = client_of(asha)
        owed = page.get(f"/loans/{loan.pk}/").context["payoff"].total.text
        paying = {"account": account, "all": owed, "amount": "", "token": str(uuid4())}
        page.post(f"/loans/{loan.pk}/pay/", paying)
        loan.refresh_from_db()
        assert loan.state == "repaid"
        assert "repaid" in text_of(page.get("/loans/"))

    def test_are_nobody_elses(self) -> None:
        terms()
        asha, account = customer()
        loan = lent(asha, account)
        stranger = client_of(person())
        assert stranger.get(f"/loans/{loan.pk}/").status_code == 404
        page = f"/loans/applications/{loan.application_id}/"
        assert {
            stranger.get(page).status_code,
            *(stranger.post(f"{page}{to}/").status_code for to in ("submit", "accept", "withdraw")),
        } == {404}


class TestStaff:
    def test_see_a_customers_loans_and_what_was_sent_in(self) -> None:
        terms()
        asha, account = customer()
        lent(asha, account)
        save_draft(asha.pk, wish(account, purpose="a boat"), now=clock.now())
        asha.refresh_from_db()
        desk = client_of(person(role="employee"))
        found = text_of(desk.get(f"/staff/customers/{asha.number}/loans/"))
        assert "1,20,000.00" in found
        assert "a boat" not in found


def test_the_old_address_leads_to_the_quote_and_the_demo_lends() -> None:
    add_loan_terms(clock.now())
    add_loan_terms(clock.now())
    asha, _account = customer()
    page = client_of(asha).get("/loan_application", follow=True)
    assert "Education loan" in text_of(page)
    assert LoanTerms.objects.count() == 4


class TestTheAdmin:
    def test_lets_officers_see_documents_propose_and_refuse(self) -> None:
        terms()
        asha, account = customer()
        sent = applied(asha, account)
        officer = checker()
        page = f"/admin/loans/loanapplication/{sent.pk}/"
        assert client_of(officer).get(f"{page}propose/").status_code == 403
        officer.groups.add(Group.objects.get(name="Loan officers"))
        pages = client_of(officer)
        assert "a wedding" in text_of(pages.get(f"{page}change/"))
        early = pages.post(f"{page}propose/", {"amount": "1", "months": 12, "reason": "x"})
        assert (early.status_code, "all documents" in text_of(early)) == (422, True)
        decide(sent, pages)
        sent.refresh_from_db()
        assert (sent.state, sent.amount) == ("offered", 1_00_000_00)
        late = pages.post(f"{page}refuse/", {"reason": "no"})
        assert "not under review" in text_of(late)

    def test_asks_for_terms_that_another_admin_approves(self) -> None:
        chief = checker()
        chief.user_permissions.add(Permission.objects.get(codename="add_loanterms"))
        day = clock.bank_day(clock.now()) + timedelta(days=2)
        typed = {
            "product": "home",
            "currency": "inr",
            "effective_from": day.isoformat(),
            "method": "annuity",
            "rate": "8.4",
            "least_amount": "1,00,000",
            "most_amount": "1,00,00,000",
            "least_months": 12,
            "most_months": 360,
            "holiday_months": 0,
            "opening_fee": "0.25",
            "instalment_fee": "0",
            "grace_days": 5,
            "penalty": "500",
            "reason": "we lend for homes now",
        }
        pages = client_of(chief)
        for wrong in ({"rate": "1000"}, {"least_months": 0}, {"effective_from": "2020-01-01"}):
            answer = pages.post("/admin/loans/loanterms/add/", {**typed, **wrong})
            assert answer.status_code == 422
        assert pages.post("/admin/loans/loanterms/add/", typed).status_code == 302
        assert approve(Approval.objects.get().pk, checker=checker().pk).state == "done"
        made = LoanTerms.objects.get()
        assert (made.rate_ppm, made.opening_fee_ppm, made.penalty) == (84_000, 2_500, 500_00)
        assert (
            client_of(person(role="admin", is_staff=True))
            .get("/admin/loans/loanterms/")
            .status_code
            == 403
        )


class TestTheApi:
    def test_goes_from_the_quote_to_a_repayment(self) -> None:
        terms()
        asha, account = customer(balance=50_000_00)
        api = client_of(asha)
        asked = {"product": "personal", "amount": "120000", "currency": "INR", "months": 12}
        assert post(api, "loans/quote", asked).json()["instalment"] == "10661.85"
        assert shown(api, "loan-products")["products"][0]["rate_percent"] == "12"
        wish = {
            **asked,
            "account": str(account),
            "purpose": "a wedding",
            "monthly_income": "0",
        }
        draft = post(api, "loan-applications", wish).json()
        address = f"loan-applications/{draft['id']}"
        assert post(api, f"{address}/submit", {}).json()["state"] == "submitted"
        decide(LoanApplication.objects.get())
        loan = post(api, f"{address}/accept", {}).json()
        assert post(api, f"{address}/accept", {}).json()["number"] == loan["number"]
        paying = {"account": str(account), "amount": "20000", "currency": "INR"}
        answers = [
            post(api, f"loans/{loan['number']}/repayments", paying, key="k") for _ in range(2)
        ]
        assert [one.status_code for one in answers] == [201, 201]
        assert len({one.json()["transfer_id"] for one in answers}) == 1
        payoff = shown(api, f"loans/{loan['number']}/payoff")
        assert payoff["amount"] == "80000.00"
        assert shown(api, "loans")["loans"][0]["owed"] == "80000.00"

    def test_refuses_with_codes(self) -> None:
        terms()
        asha, account = customer()
        loan = lent(asha, account)
        api = client_of(asha)
        asked = {"product": "personal", "amount": "5", "currency": "INR", "months": 12}
        assert refusal(post(api, "loans/quote", asked), 422)[0] == "amount_outside_product"
        assert refusal(post(api, "loans/quote", {**asked, "months": 0}), 422)
        paying = {"account": str(account), "amount": "200000", "currency": "INR"}
        where = f"loans/{loan.number}/repayments"
        assert refusal(post(api, where, paying), 422)[0] == "more_than_owed"
        empty = customer_account(asha)
        short = {**paying, "account": str(empty), "amount": "1"}
        assert refusal(post(api, where, short), 422)[0] == "insufficient_funds"
        other = client_of(person())
        assert refusal(post(other, where, paying), 404)[0] == "unknown_loan"
        assert loans_of(asha.pk, now=clock.now())[0].principal.minor == 1_20_000_00


def decide(application: LoanApplication, pages: Client | None = None) -> None:
    """Let an officer propose by the admin's pages, and another admin approve."""
    if pages is None:
        officer = checker()
        officer.groups.add(Group.objects.get(name="Loan officers"))
        pages = client_of(officer)
    page = f"/admin/loans/loanapplication/{application.pk}/"
    pages.post(f"{page}documents/", {"seen": ["identity", "address", "income"]})
    pages.post(f"{page}propose/", {"amount": "1,00,000", "months": 12, "reason": "fine"})
    assert approve(Approval.objects.latest("pk").pk, checker=checker().pk).state == "done"


class TestChangesOfLoans:
    def test_are_proposed_by_officers_in_the_admin_alone(self) -> None:
        terms()
        loan = lent(*customer(), now=clock.now() - timedelta(days=3))
        officer = checker()
        page = f"/admin/loans/loan/{loan.pk}/"
        assert client_of(officer).get(f"{page}restructure/").status_code == 403
        officer.groups.add(Group.objects.get(name="Loan officers"))
        pages = client_of(officer)
        assert "Write the loan off" in text_of(pages.get(f"{page}change/"))
        form = pages.get(f"{page}restructure/").context["asking"].form
        since = form.fields["since"].choices[0][0]
        typed = {"since": since, "months": 24, "rate": "6", "holiday_months": 24, "reason": "ill"}
        wrong = pages.post(f"{page}restructure/", typed)
        assert (wrong.status_code, "must be fewer" in text_of(wrong)) == (422, True)
        pages.post(f"{page}restructure/", {**typed, "holiday_months": 2, "capitalises": "on"})
        pages.post(f"{page}write-off/", {"reason": "cannot pay"})
        _granted, plan, gone = Approval.objects.order_by("pk")
        assert (plan.payload["rate_ppm"], plan.payload["capitalises"]) == (60_000, True)
        for asked in (plan, gone):
            assert approve(asked.pk, checker=checker().pk).state == "done"
        assert "24 months at 6 percent, waiting" in text_of(pages.get(f"{page}change/"))
        over = pages.post(f"{page}write-off/", {"reason": "again"})
        assert (over.status_code, "Nothing is owed" in text_of(over)) == (422, True)
        borrower = client_of(loan.borrower).get(f"/loans/{loan.pk}/")
        assert "can still be paid" in text_of(borrower)

    def test_stand_in_the_pages_of_staff_by_how_late_they_are(self) -> None:
        terms()
        asha, account = customer()
        late = lent(asha, account, now=clock.now() - timedelta(days=80))
        number = str(account_number(late.pk))
        lent(*customer(), now=clock.now())
        desk = client_of(person(role="employee"))
        found = text_of(desk.get("/staff/loans/"))
        assert ("31-60" in found, "in time" in found, number in found) == (True,) * 3
        assert number not in text_of(desk.get("/staff/loans/?bucket=1-30"))
        assert number in text_of(desk.get("/staff/loans/?bucket=nonsense"))
        looks = Viewing.objects.filter(what="list of loans")
        assert [look.subject for look in looks] == [asha]


def test_a_loans_schedule_is_a_pdf_and_leads_to_a_standing_order() -> None:
    terms()
    asha, account = customer()
    loan = lent(asha, account)
    pages = client_of(asha)
    made = pages.get(f"/loans/{loan.pk}/schedule.pdf")
    assert (made["Content-Type"], made.content[:5]) == ("application/pdf", b"%PDF-")
    assert f"credit_account={loan.pk}" in text_of(pages.get(f"/loans/{loan.pk}/"))
    form = pages.get(f"/standing-orders/new/?credit_account={loan.pk}&amount=12.50").context["form"]
    assert (form["credit_account"].value(), form["amount"].value()) == (str(loan.pk), "12.50")
    assert client_of(person()).get(f"/loans/{loan.pk}/schedule.pdf").status_code == 404


def test_the_quotes_sliders_know_what_is_lent_in_the_accounts_currency() -> None:
    terms()
    asha, account = customer()
    bounds = client_of(asha).get("/loans/quote/").context["bounds"]
    assert json.loads(bounds) == {
        "personal": {str(account): {"amount": [10_000, 10_00_000], "months": [6, 60]}}
    }
