"""The people of the demo: who they are, what they earn, and which accounts they have."""

from dataclasses import dataclass
from random import Random
from typing import Final


@dataclass(frozen=True, slots=True)
class Habits:
    """What life costs in a currency: salaries in minor units, prices in multiples of a step."""

    lowest_salary: int
    highest_salary: int
    price_step: int
    note: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """A customer who does not exist; the salary in minor units, paid on a day of the month."""

    name: str
    email: str
    employer: str
    currency: str
    salary: int
    pay_day: int
    saves: bool
    landlord: int | None


HABITS: Final = {
    "INR": Habits(3_200_000, 18_500_000, 50, 50_000),
    "CZK": Habits(3_400_000, 6_800_000, 100, 20_000),
    "JPY": Habits(260_000, 520_000, 1, 1_000),
    "KWD": Habits(620_000, 1_650_000, 5, 5_000),
}
STAFF: Final = (
    ("Meera Joshi", "employee"),
    ("Rahul Deshpande", "employee"),
    ("Anjali Bhatt", "superadmin"),
    ("Vivek Menon", "superadmin"),
    ("Kiran Kulkarni", "admin"),
)
_ABROAD: Final = (
    ("Tereza Novak", "CZK", "Vltava Glassworks"),
    ("Jakub Dvorak", "CZK", "Moravia Logistics"),
    ("Haruka Sato", "JPY", "Kitano Instruments"),
    ("Yousef Al-Rashid", "KWD", "Gulf Marine Services"),
)
_AT_HOME: Final = (
    "Asha Rao", "Priya Nair", "Arjun Mehta", "Kavya Iyer", "Rohan Gupta", "Sneha Kulkarni",
    "Vikram Singh", "Ananya Das", "Imran Shaikh", "Divya Menon", "Karthik Reddy", "Pooja Sharma",
    "Sanjay Patel", "Neha Verma", "Aditya Banerjee", "Lakshmi Pillai", "Farah Khan",
    "Manish Agarwal", "Ritu Chopra", "Joseph Mathew",
)  # fmt: skip
_EMPLOYERS: Final = (
    "Meridian Textiles", "Konkan Software", "City Hospital", "Deccan Motors", "Green Valley School",
    "Sahyadri Foods", "Eastern Railways", "Lotus Architects",
)  # fmt: skip
_LANDLORDS: Final = range(3)
# Whose accounts are where; those of a branch without a node of its own are at the head office.
_AT_HOME_IN: Final = {"HO": _AT_HOME[:8], "MUM": _AT_HOME[8:14], "DEL": _AT_HOME[14:]}


def make_people(random: Random) -> dict[str, list[Persona]]:
    """Return the customers by branch; those first in a list own the houses that others rent."""
    found = {}
    for branch, names in _AT_HOME_IN.items():
        at_home = [(name, "INR", random.choice(_EMPLOYERS)) for name in names]
        everybody = [*at_home, *(_ABROAD if branch == "HO" else ())]
        found[branch] = [
            _make(random, place, name, currency, employer)
            for place, (name, currency, employer) in enumerate(everybody)
        ]
    return found


def email_of(name: str) -> str:
    """Return the e-mail address of a person of the demo; no mail is ever sent there."""
    return f"{name.lower().replace(' ', '.')}@demo.example"


def _make(random: Random, place: int, name: str, currency: str, employer: str) -> Persona:
    habits = HABITS[currency]
    spread = random.betavariate(1.6, 3.2)
    salary = habits.lowest_salary + spread * (habits.highest_salary - habits.lowest_salary)
    rents_here = currency == "INR" and place not in _LANDLORDS and random.random() < 0.5  # noqa: PLR2004  # half of them
    return Persona(
        name=name,
        email=email_of(name),
        employer=employer,
        currency=currency,
        salary=round(salary / habits.note) * habits.note,
        pay_day=random.choice((1, 5, 25, 28)),
        saves=random.random() < 0.75,  # noqa: PLR2004  # most of them
        landlord=random.choice(_LANDLORDS) if rents_here else None,
    )
