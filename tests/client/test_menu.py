"""The client at a real terminal: the numbered menu, questions, and codes."""

from pathlib import Path

from accounts.models import User
from tests.client.conftest import PASSWORD, Scene
from tests.client.sitting import Sitting, sitting
from transactions.ledger.reads import balances


def enter(desk: Sitting, person: User) -> None:
    """Log in as the menu asks for it."""
    desk.answers("E-mail", str(person.email))
    desk.answers("Password", PASSWORD)
    desk.sees(f"Logged in as {person.email}")


def test_a_customer_uses_the_menu(scene: Scene, tmp_path: Path) -> None:
    with sitting(url=scene.address, home=tmp_path) as desk:
        enter(desk, scene.asha)
        desk.sees(f"{scene.mine}  current")
        desk.answers("Choice [1]", "2")
        desk.sees(str(scene.savings))
        desk.answers("Account [1]", "1")
        desk.answers("Amount", "200")
        desk.answers("Pay in 200 INR", "y")
        desk.sees("Balance after")
        desk.answers("Choice [1]", "3")
        desk.answers("Account [1]", "1")
        desk.answers("Amount", "99999999")
        desk.answers("Take out 99999999 INR", "y")
        desk.sees("Error: ")
        desk.answers("Choice [1]", "4")
        desk.answers("From [1]", "1")
        desk.answers("To account", str(scene.friend))
        desk.answers("Amount", "50")
        desk.sees("Priya N.")
        desk.answers("Send 50 INR", "n")
        desk.sees("nothing was done")
        desk.answers("Choice [1]", "5")
        desk.sees("deposit")
        desk.answers("Choice [1]", "0")
        shown = desk.ends()
    assert PASSWORD not in shown
    (mine,) = balances([scene.mine])
    assert mine.balance == 520_000


def test_an_admin_has_another_menu(scene: Scene, tmp_path: Path) -> None:
    with sitting(url=scene.address, home=tmp_path) as desk:
        enter(desk, scene.admin)
        desk.answers("Choice [1]", "3")
        desk.sees("Asha Rao")
        desk.answers("Choice [1]", "4")
        desk.sees(str(scene.mine))
        desk.answers("Choice [1]", "0")
        desk.ends()
