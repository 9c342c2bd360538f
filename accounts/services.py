"""What is done about people."""

from allauth.account.models import EmailAddress

from accounts.models import Role, User


def add_person(
    *, email: str, full_name: str, role: Role, password_hash: str, external_reference: str | None
) -> User:
    """Add a person who can log in at once: their e-mail address counts as verified.

    ``password_hash`` is of ``make_password``. Admins may do everything in the Django admin.
    """
    is_admin = role is Role.ADMIN
    user = User.objects.create(
        email=email,
        full_name=full_name,
        role=role,
        password=password_hash,
        is_staff=is_admin,
        is_superuser=is_admin,
        external_reference=external_reference,
    )
    EmailAddress.objects.create(user=user, email=email, primary=True, verified=True)
    return user
