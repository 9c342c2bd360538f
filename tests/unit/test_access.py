"""Who is let in: roles, scopes and permissions, and what is refused when nothing is said."""

from dataclasses import dataclass

import pytest
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.access import (
    ADMIN,
    ANYONE,
    CUSTOMER,
    EMPLOYEE,
    SUPERADMIN,
    Access,
    Forbidden,
    InsufficientScope,
)
from core.api.views import BankView


@dataclass(frozen=True)
class Somebody:
    """Somebody the bank knows."""

    role: str
    scopes: frozenset[str] | None = None
    permissions: tuple[str, ...] = ()
    pk: int = 7

    def has_perm(self, name: str) -> bool:
        """Tell whether they were given a permission."""
        return name in self.permissions


class TestAccess:
    @pytest.mark.parametrize("role", [EMPLOYEE, ADMIN, SUPERADMIN])
    def test_lets_in_no_other_role(self, role: str) -> None:
        Access(CUSTOMER).check(Somebody(CUSTOMER))
        with pytest.raises(Forbidden):
            Access(CUSTOMER).check(Somebody(role))

    def test_lets_a_super_admin_do_what_an_admin_may_but_not_the_other_way(self) -> None:
        Access(ADMIN).check(Somebody(SUPERADMIN))
        with pytest.raises(Forbidden):
            Access(SUPERADMIN).check(Somebody(ADMIN))

    def test_asks_who_is_there_unless_it_is_for_anyone(self) -> None:
        Access(ANYONE).check(None)
        with pytest.raises(NotAuthenticated):
            Access(CUSTOMER).check(None)

    def test_lets_a_key_in_by_the_scope_it_was_given(self) -> None:
        access = Access(CUSTOMER, scope="transfers:write")
        access.check(Somebody(CUSTOMER, frozenset({"transfers:write"})))
        with pytest.raises(InsufficientScope) as caught:
            access.check(Somebody(CUSTOMER, frozenset({"accounts:read"})))
        assert caught.value.code == "insufficient_scope"

    def test_lets_no_key_in_where_no_scope_is_named(self) -> None:
        Access(CUSTOMER).check(Somebody(CUSTOMER))
        with pytest.raises(InsufficientScope):
            Access(CUSTOMER).check(Somebody(CUSTOMER, frozenset({"accounts:read"})))

    def test_gives_a_key_no_role_that_its_owner_has_not(self) -> None:
        with pytest.raises(Forbidden):
            Access(ADMIN, scope="admin:read").check(Somebody(CUSTOMER, frozenset({"admin:read"})))

    def test_asks_an_admin_and_no_super_admin_for_a_permission(self) -> None:
        access = Access(ADMIN, permission="accounts.view_user")
        access.check(Somebody(ADMIN, permissions=("accounts.view_user",)))
        access.check(Somebody(SUPERADMIN))
        with pytest.raises(Forbidden):
            access.check(Somebody(ADMIN))

    @pytest.mark.parametrize("roles", [(), ("customers",), (CUSTOMER, "admins")])
    def test_knows_when_it_is_for_nobody_or_for_nobody_known(self, roles: tuple[str, ...]) -> None:
        with pytest.raises(ValueError, match="Access for nobody"):
            Access(*roles)

    def test_knows_its_scopes(self) -> None:
        with pytest.raises(ValueError, match="unknown names"):
            Access(CUSTOMER, scope="transfers:all")


class TestView:
    def test_does_not_get_through_its_import_without_saying_who_may_use_it(self) -> None:
        with pytest.raises(TypeError, match="must name just these"):

            class Open(BankView):
                def get(self, _request: Request) -> Response:
                    return Response()

    def test_does_not_get_through_its_import_naming_what_it_does_not_answer(self) -> None:
        with pytest.raises(TypeError, match="must name just these"):

            class Boast(BankView):
                access = {"GET": Access(CUSTOMER), "DELETE": Access(CUSTOMER)}  # noqa: RUF012

                def get(self, _request: Request) -> Response:
                    return Response()
