"""The numbered menu that somebody sees who gives no command."""

from pathlib import Path

from accounts.models import User
from tests.client.conftest import PASSWORD, Scene, balance_of
from tests.client.sitting import Sitting, sitting


class TestMenu:
    def test_of_a_customer(self, scene: Scene, tmp_path: Path) -> None:
        before = balance_of(scene.mine)
        with sitting(url=scene.address, home=tmp_path) as desk:
            enter(desk, scene.asha)
            desk.sees(str(scene.mine))
            desk.chooses("Deposit")
            desk.answers("Account [1]", "1")
            desk.answers("Amount", "200")
            desk.answers("Pay in 200 INR", "y")
            desk.sees("Balance after")
            desk.chooses("Withdraw")
            desk.answers("Account [1]", "1")
            desk.answers("Amount", "99999999")
            desk.answers("Take out 99999999 INR", "y")
            desk.sees("Error: ")
            desk.chooses("Transfer")
            desk.answers("From [1]", "1")
            desk.answers("To account", str(scene.friend))
            desk.answers("Amount", "50")
            desk.sees("Priya N.")
            desk.answers("Send 50 INR", "n")
            desk.sees("nothing was done")
            desk.chooses("Transactions")
            desk.sees(" 200.00")
            desk.chooses("Exit")
            shown = desk.ends()
        assert PASSWORD not in shown
        assert balance_of(scene.mine) == before + 20_000

    def test_of_an_admin(self, scene: Scene, tmp_path: Path) -> None:
        with sitting(url=scene.address, home=tmp_path) as desk:
            enter(desk, scene.admin)
            desk.chooses("Add an account")
            desk.answers("User id", str(scene.asha.number))
            desk.answers("Branch", "HO")
            desk.answers("Reason", "asked for")
            desk.answers("Open a current account", "y")
            number = desk.reads(r"Number +([0-9]{12})")
            desk.chooses("Close an account")
            desk.answers("Account", number)
            desk.answers("Reason", "a mistake")
            desk.answers(f"Type {number}", "yes")
            desk.sees("nothing was done")
            desk.chooses("Close an account")
            desk.answers("Account", number)
            desk.answers("Reason", "a mistake")
            desk.answers(f"Type {number}", number)
            desk.sees("closed")
            desk.chooses("Customers")
            desk.sees("Asha Rao")
            desk.chooses("All transactions")
            desk.sees(str(scene.mine))
            desk.chooses("Exit")
            desk.ends()


def enter(desk: Sitting, person: User) -> None:
    """Log in as the menu asks for it."""
    desk.answers("E-mail", str(person.email))
    desk.answers("Password", PASSWORD)
    desk.sees(f"Logged in as {person.email}")
