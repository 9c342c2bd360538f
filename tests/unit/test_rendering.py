"""What migrations make anew when a model changes."""

import pytest
from django.db import models
from django.db.migrations.state import ModelState

from core.db.rendering import SparingState


@pytest.fixture
def state() -> SparingState:
    """Give people and their accounts, of no app there is, rendered."""
    people = ModelState("bank", "Person", [("id", models.BigAutoField(primary_key=True))])
    state = SparingState(models={("bank", "person"): people})
    assert state.apps.get_model("bank", "person")
    state.add_model(account_of_a("bank.Person"))
    return state


def account_of_a(person: str) -> ModelState:
    """Return the state of an account's model."""
    owner = models.ForeignKey(person, on_delete=models.PROTECT, related_name="accounts")
    return ModelState(
        "bank", "Account", [("id", models.BigAutoField(primary_key=True)), ("owner", owner)]
    )


def add_name(state: SparingState) -> None:
    """Give people a name."""
    state.add_field("bank", "person", "name", models.TextField(default=""), preserve_default=True)


def test_a_change_makes_its_own_model_anew_and_no_other(state: SparingState) -> None:
    before = state.clone()
    add_name(state)
    assert state.apps.get_model("bank", "person")._meta.get_field("name")
    account = state.apps.get_model("bank", "account")
    assert account is before.apps.get_model("bank", "account")


def test_a_relation_makes_both_sides_anew(state: SparingState) -> None:
    before = state.clone()
    friend = models.ForeignKey("bank.Person", on_delete=models.PROTECT, null=True, related_name="+")
    state.add_field("bank", "account", "friend", friend, preserve_default=True)
    assert state.apps.get_model("bank", "person") is not before.apps.get_model("bank", "person")


def test_who_asks_across_models_sees_every_change(state: SparingState) -> None:
    add_name(state)
    # As Django does before the Python of a migration is run.
    copy = state.clone()
    copy.clear_delayed_apps_cache()
    account, person = (copy.apps.get_model("bank", name) for name in ("account", "person"))
    assert account.objects.filter(owner__name="Asha").query.where
    assert person.objects.filter(accounts__owner__name="Asha").query.where
