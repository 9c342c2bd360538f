"""The same transfer by django-hordak behind plain DRF: no authentication, no idempotency.

It is refused where there is not enough money, and answers with what is left: hordak keeps no
balances, so it sums the payer's legs, whose account is locked meanwhile.

As a program it migrates and opens its accounts.
"""

import os
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings

ACCOUNTS = 2_000


def _configure() -> None:
    url = urlsplit(os.environ["HORDAK_DATABASE_URL"])
    settings.configure(
        SECRET_KEY=os.environ["SECRET_KEY"],
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        # It tells the length of an answer, without which that would come in chunks.
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "mptt",
            "rest_framework",
            "hordak",
        ],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": url.path[1:],
                "USER": url.username,
                "PASSWORD": url.password,
                "HOST": url.hostname,
                "PORT": url.port,
                "CONN_MAX_AGE": None,
            }
        },
        HORDAK_INTERNAL_CURRENCY="INR",
        DEFAULT_CURRENCY="INR",
        CURRENCIES=["INR"],
        HORDAK_CURRENCIES=["INR"],
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        REST_FRAMEWORK={
            "DEFAULT_AUTHENTICATION_CLASSES": [],
            "DEFAULT_PERMISSION_CLASSES": [],
            "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
            "UNAUTHENTICATED_USER": None,
        },
    )
    django.setup()


_configure()

from django.core.wsgi import get_wsgi_application  # noqa: E402  # needs Django set up
from django.db import transaction  # noqa: E402  # as above
from django.urls import path  # noqa: E402  # as above
from hordak.models import Account, Transaction  # noqa: E402  # as above
from moneyed import Money  # noqa: E402  # as above
from rest_framework import serializers  # noqa: E402  # as above
from rest_framework.request import Request  # noqa: E402  # as above
from rest_framework.response import Response  # noqa: E402  # as above
from rest_framework.views import APIView  # noqa: E402  # as above


class Body(serializers.Serializer[Any]):
    """A transfer."""

    debit_account = serializers.IntegerField()
    credit_account = serializers.IntegerField()
    amount = serializers.DecimalField(max_digits=13, decimal_places=2)
    memo = serializers.CharField(required=False)


class CannotPayError(Exception):
    """There is not enough money."""


def send_money(debit: int, credit: int, amount: Money, *, memo: str) -> tuple[Transaction, Money]:
    """Move money between two accounts; return the transaction and what the payer has left.

    Raises:
        CannotPayError: the payer has not enough.
    """
    payee = Account.objects.get(code=_code(credit))
    with transaction.atomic():
        payer = Account.objects.select_for_update().get(code=_code(debit))
        left = payer.get_simple_balance()["INR"] - amount
        if left < Money(0, "INR"):
            raise CannotPayError
        # Both are liabilities: who is credited has more.
        return payee.transfer_to(payer, amount, description=memo), left


class Transfers(APIView):
    """Transfers."""

    def post(self, request: Request) -> Response:
        """Move money from an account to another."""
        body = Body(data=request.data)
        body.is_valid(raise_exception=True)
        asked = body.validated_data
        debit, credit = asked["debit_account"], asked["credit_account"]
        amount = Money(asked["amount"], "INR")
        try:
            moved, left = send_money(debit, credit, amount, memo=asked["memo"])
        except CannotPayError:
            return Response({"detail": "not enough money"}, status=422)
        answer = {"id": str(moved.uuid), "debit_balance_after": str(left.amount)}
        return Response(answer, status=201)


urlpatterns = [path("transfers", Transfers.as_view())]
application = get_wsgi_application()


def _code(number: int) -> str:
    return f"{number % ACCOUNTS:06d}"


def main() -> None:
    """Migrate, and open the accounts."""
    from django.core.management import call_command
    from hordak.models import AccountType

    call_command("migrate", verbosity=0)
    for number in range(ACCOUNTS):
        Account.objects.create(
            name=f"Account {number}",
            code=_code(number),
            type=AccountType.liability,
            currencies=["INR"],
        )
    bank = Account.objects.create(
        name="Bank", code="bank", type=AccountType.liability, currencies=["INR"]
    )
    for account in Account.objects.exclude(pk=bank.pk):
        account.transfer_to(bank, Money(10_000_000, "INR"))


if __name__ == "__main__":
    main()
