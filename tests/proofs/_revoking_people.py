"""People of the proof of revocation, in the bank that Django works on."""

from allauth.account.models import EmailAddress

from accounts.models import Role
from tests.factories import person
from tests.proofs._revoking import Person


def customer() -> Person:
    """Add a customer who can log in."""
    return _person()


def admin() -> Person:
    """Add a super admin, who suspends people."""
    return _person(role=Role.ADMIN, is_staff=True, is_superuser=True)


def _person(**fields: object) -> Person:
    user = person(**fields)
    user.refresh_from_db()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return Person(email=str(user.email), number=user.number)
