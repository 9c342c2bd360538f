"""What the head office knows of loans. What a loan owes is the ledger's to say."""

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.money import Money
from loans.schedule import Method, percent
from transactions.lending import LoanAccounts, Owed


class LoanProduct(models.TextChoices):
    """What a loan is for."""

    PERSONAL = "personal", _("personal loan")
    HOME = "home", _("home loan")
    VEHICLE = "vehicle", _("vehicle loan")
    EDUCATION = "education", _("education loan")


class RepaymentMethod(models.TextChoices):
    """How a loan is repaid, in words."""

    ANNUITY = str(Method.ANNUITY), _("equal instalments")
    FLAT = str(Method.FLAT), _("flat interest on the whole amount")
    INTEREST_ONLY = str(Method.INTEREST_ONLY), _("interest alone, the amount at the end")


class LoanTerms(models.Model):
    """On which terms the bank lends from a day on, until newer ones follow. Never changed.

    Rates and shares in millionths, amounts in minor units. In the first ``holiday_months`` interest
    alone is paid; an instalment that is not paid ``grace_days`` after its day costs ``penalty``.
    """

    product = models.CharField(_("product"), max_length=12, choices=LoanProduct)
    currency = models.CharField(_("currency"), max_length=3)
    effective_from = models.DateField(_("from"))
    method = models.CharField(_("repaid by"), max_length=16, choices=RepaymentMethod)
    rate_ppm = models.PositiveIntegerField(_("rate a year, in millionths"))
    least_amount = models.BigIntegerField(_("least amount, in minor units"))
    most_amount = models.BigIntegerField(_("largest amount, in minor units"))
    least_months = models.PositiveSmallIntegerField(_("shortest term, in months"))
    most_months = models.PositiveSmallIntegerField(_("longest term, in months"))
    holiday_months = models.PositiveSmallIntegerField(_("months without repayment"), default=0)
    opening_fee_ppm = models.PositiveIntegerField(_("opening fee, in millionths"), default=0)
    instalment_fee = models.BigIntegerField(_("fee of an instalment, in minor units"), default=0)
    grace_days = models.PositiveSmallIntegerField(_("days of grace"), default=0)
    penalty = models.BigIntegerField(_("penalty, in minor units"), default=0)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        """Each product and currency has one set of terms from a day."""

        verbose_name = _("terms of a loan")
        verbose_name_plural = _("loan products")
        ordering: ClassVar = ["product", "currency", "-effective_from"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["product", "currency", "effective_from"], name="loan_terms_once"
            ),
            models.CheckConstraint(
                condition=models.Q(rate_ppm__lte=1_000_000, opening_fee_ppm__lte=1_000_000),
                name="loan_terms_rates",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    least_amount__gt=0,
                    most_amount__gte=models.F("least_amount"),
                    most_months__gte=models.F("least_months"),
                    least_months__gt=models.F("holiday_months"),
                    instalment_fee__gte=0,
                    penalty__gte=0,
                ),
                name="loan_terms_bounds",
            ),
        ]

    def __str__(self) -> str:
        """Name the product, the currency and the day."""
        return f"{self.get_product_display()}, {self.currency}, {self.effective_from:%F}"

    @property
    def rate(self) -> str:
        """The rate a year, in percent."""
        return percent(self.rate_ppm)

    @property
    def opening_fee(self) -> str:
        """The opening fee, in percent of the amount."""
        return percent(self.opening_fee_ppm)

    @property
    def least(self) -> Money:
        """The least amount."""
        return self.money(self.least_amount)

    @property
    def most(self) -> Money:
        """The largest amount."""
        return self.money(self.most_amount)

    @property
    def fine(self) -> Money:
        """What an instalment costs that is late."""
        return self.money(self.penalty)

    def money(self, minor: int) -> Money:
        """Return an amount in the terms' currency."""
        return Money(minor, self.currency)


class ApplicationState(models.TextChoices):
    """How far an application is. ``offered`` waits for the customer; ``accepted`` is a loan."""

    DRAFT = "draft", _("draft")
    SUBMITTED = "submitted", _("being reviewed")
    OFFERED = "offered", _("offered to you")
    ACCEPTED = "accepted", _("accepted")
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", _("withdrawn")


class Document(models.TextChoices):
    """What an applicant shows at the branch."""

    IDENTITY = "identity", _("proof of identity")
    ADDRESS = "address", _("proof of address")
    INCOME = "income", _("proof of income")


class LoanApplication(models.Model):
    """A customer's wish for a loan, by the terms of the day on which it was sent in."""

    id = models.UUIDField(primary_key=True, default=uuid4)
    applicant = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="loan_applications"
    )
    account = models.BigIntegerField(_("account"))
    terms = models.ForeignKey(LoanTerms, models.PROTECT, verbose_name=_("terms"))
    amount = models.BigIntegerField(_("amount, in minor units"))
    months = models.PositiveSmallIntegerField(_("months"))
    purpose = models.CharField(_("purpose"), max_length=140)
    monthly_income = models.BigIntegerField(_("income a month, in minor units"))
    documents_seen = models.JSONField(_("documents seen"), default=list)
    state = models.CharField(
        _("state"), max_length=12, choices=ApplicationState, default=ApplicationState.DRAFT
    )
    created_at = models.DateTimeField(_("created"))
    submitted_at = models.DateTimeField(_("sent in"), null=True)
    offered_until = models.DateField(_("offered until"), null=True)
    decided_at = models.DateTimeField(_("decided"), null=True)
    decision_reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        """The newest first; one of a person is under way at a time."""

        verbose_name = _("loan application")
        verbose_name_plural = _("loan applications")
        ordering: ClassVar = ["-created_at", "-pk"]
        default_permissions = ("view",)
        permissions: ClassVar = [("review_loan", _("Can review and propose loans"))]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["applicant"],
                condition=models.Q(state__in=["submitted", "offered"]),
                name="loan_application_one_under_way",
            ),
            models.CheckConstraint(
                condition=models.Q(amount__gt=0, months__gt=0, monthly_income__gte=0),
                name="loan_application_figures",
            ),
        ]

    def __str__(self) -> str:
        """Name the product and the amount."""
        return f"{self.terms.get_product_display()}, {self.money}"

    @property
    def money(self) -> Money:
        """The amount."""
        return Money(self.amount, self.terms.currency)

    @property
    def documents(self) -> list[tuple[str, bool]]:
        """What is to be shown, each with whether it was seen."""
        return [(str(one.label), one in self.documents_seen) for one in Document]

    @property
    def income(self) -> Money:
        """What the applicant earns each month."""
        return Money(self.monthly_income, self.terms.currency)


class LoanState(models.TextChoices):
    """``opening``: accepted, and on its way out of the bank."""

    OPENING = "opening", _("being paid out")
    ACTIVE = "active", _("running")
    REPAID = "repaid", _("repaid")


class Loan(models.Model):
    """Money that was lent. ``number`` and ``dues`` are its accounts in the ledger."""

    number = models.BigIntegerField(primary_key=True)
    dues = models.BigIntegerField(unique=True)
    application = models.OneToOneField(LoanApplication, models.PROTECT, related_name="loan")
    borrower = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="loans")
    account = models.BigIntegerField(_("paying account"))
    terms = models.ForeignKey(LoanTerms, models.PROTECT, verbose_name=_("terms"))
    amount = models.BigIntegerField(_("amount, in minor units"))
    months = models.PositiveSmallIntegerField(_("months"))
    state = models.CharField(
        _("state"), max_length=12, choices=LoanState, default=LoanState.OPENING
    )
    accepted_at = models.DateTimeField(_("accepted"))
    start = models.DateField(_("paid out"), null=True)
    repaid_at = models.DateTimeField(_("repaid"), null=True)

    class Meta:
        """The newest first."""

        verbose_name = _("loan")
        verbose_name_plural = _("loans")
        ordering: ClassVar = ["-accepted_at", "-pk"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        """Show the number."""
        return str(self.number)

    @property
    def accounts(self) -> LoanAccounts:
        """The loan's accounts in the ledger."""
        return LoanAccounts(self.number, self.dues, self.terms.currency)

    @property
    def money(self) -> Money:
        """What was lent."""
        return self.terms.money(self.amount)


class LoanPlan(models.Model):
    """What of a loan is to be repaid when, from a day on. The one that begins last holds."""

    loan = models.ForeignKey(Loan, models.PROTECT, related_name="plans")
    number = models.PositiveSmallIntegerField()
    since = models.DateField()
    principal = models.BigIntegerField()

    class Meta:
        """Each number of a loan once."""

        ordering: ClassVar = ["loan", "number"]
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["loan", "number"], name="loan_plan_once"),
        ]

    def __str__(self) -> str:
        """Show the loan and the number."""
        return f"{self.loan_id}/{self.number}"


class Instalment(models.Model):
    """One payment of a plan, in minor units. Interest is charged as it accrued."""

    plan = models.ForeignKey(LoanPlan, models.PROTECT, related_name="instalments")
    number = models.PositiveSmallIntegerField(_("number"))
    due_date = models.DateField(_("due"))
    principal = models.BigIntegerField(_("principal"))
    interest = models.BigIntegerField(_("interest"))
    balance_after = models.BigIntegerField(_("left after it"))

    class Meta:
        """In the order in which they are due; each of a plan once."""

        ordering: ClassVar = ["plan", "number"]
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["plan", "number"], name="loan_instalment_once"),
        ]

    def __str__(self) -> str:
        """Show the plan and the number."""
        return f"{self.plan_id}/{self.number}"

    @property
    def total(self) -> int:
        """Principal and interest."""
        return self.principal + self.interest


class InterestDay(models.Model):
    """What a loan cost on a day: the ``days``-th part of a month's interest on ``principal``."""

    loan = models.ForeignKey(Loan, models.PROTECT, related_name="interest_days")
    day = models.DateField()
    principal = models.BigIntegerField()
    rate_ppm = models.PositiveIntegerField()
    days = models.PositiveSmallIntegerField()

    class Meta:
        """Each day of a loan once."""

        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["loan", "day"], name="loan_interest_day_once"),
            models.CheckConstraint(
                condition=models.Q(principal__gte=0, days__gt=0), name="loan_interest_day_figures"
            ),
        ]

    def __str__(self) -> str:
        """Show the loan and the day."""
        return f"{self.loan_id}, {self.day:%F}"


class Due(models.TextChoices):
    """What a loan is charged."""

    INTEREST = "interest", _("interest")
    FEE = "fee", _("fee")
    PENALTY = "penalty", _("penalty")


class LoanCharge(models.Model):
    """Something that a loan was charged for a day, in minor units.

    Written before it is posted, and posted once by ``reference``. ``posted_at`` is None until then.
    """

    loan = models.ForeignKey(Loan, models.PROTECT, related_name="charges")
    kind = models.CharField(max_length=12, choices=Due)
    day = models.DateField()
    minor = models.BigIntegerField()
    posted_at = models.DateTimeField(null=True)

    class Meta:
        """Each kind and day of a loan once."""

        ordering: ClassVar = ["day", "pk"]
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["loan", "kind", "day"], name="loan_charge_once"),
            models.CheckConstraint(condition=models.Q(minor__gt=0), name="loan_charge_positive"),
        ]

    def __str__(self) -> str:
        """Show the reference."""
        return self.reference

    @property
    def reference(self) -> str:
        """What the ledger knows the charge by."""
        return f"loan/{self.loan_id}/{self.kind}/{self.day:%F}"


class Repayment(models.Model):
    """A payment for a loan, in minor units by what it pays, written before it is posted.

    ``key`` is its client's. One that is not ``done`` may be posted or not: the same again tells.
    """

    id = models.UUIDField(primary_key=True, default=uuid4)
    loan = models.ForeignKey(Loan, models.PROTECT, related_name="repayments")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    key = models.CharField(max_length=255)
    account = models.BigIntegerField()
    asked = models.BigIntegerField(null=True)
    penalty = models.BigIntegerField()
    fee = models.BigIntegerField()
    interest = models.BigIntegerField()
    principal = models.BigIntegerField()
    early = models.BigIntegerField(default=0)
    channel = models.CharField(max_length=12)
    made_at = models.DateTimeField()
    transfer_id = models.UUIDField(null=True)

    class Meta:
        """The newest first; each key of a client once."""

        ordering: ClassVar = ["-made_at", "-pk"]
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["by", "key"], nulls_distinct=False, name="loan_repayment_once"
            ),
        ]

    def __str__(self) -> str:
        """Show the loan and the instant."""
        return f"{self.loan_id}, {self.made_at:%F %T}"

    @property
    def is_done(self) -> bool:
        """Tell whether the ledger has it."""
        return self.transfer_id is not None

    @property
    def paid(self) -> Owed:
        """What it pays."""
        return Owed(
            penalty=self.penalty, fee=self.fee, interest=self.interest, principal=self.principal
        )
