"""How migrations keep their models: only what changed is made anew.

Django makes a new class for every model that is related to a changed one, which is nearly all of
them: most of the time of a bank's first migration went there. A table is changed by its own model
alone; where models are asked about each other, Django makes all of them anew, as it does for
changes that it calls delayed.
"""

from typing import Self

from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState


class SparingState(ProjectState):
    """The models between two migrations, each made anew by changes of its own."""

    def clone(self) -> Self:
        """Return a copy for the next operation to change."""
        copy = type(self)(
            models={key: state.clone() for key, state in self.models.items()},
            real_apps=self.real_apps,
        )
        if "apps" in self.__dict__:
            copy.apps = self.apps.clone()
        copy.is_delayed = self.is_delayed
        return copy

    def _find_reload_model(
        self,
        app_label: str,
        model_name: str,
        delay: bool = False,  # noqa: FBT001, FBT002  # Django's own
    ) -> set[tuple[str, str]]:
        # What a new model points at learns of it when somebody asks.
        is_new = model_name not in self.apps.all_models[app_label]
        if not delay and not is_new:
            found: set[tuple[str, str]] = super()._find_reload_model(app_label, model_name)  # type: ignore[misc]  # not in the stubs
            return found
        self.is_delayed = True
        return {(app_label, model_name)}


class SparingExecutor(MigrationExecutor):
    """Django's executor, from such a state."""

    def _create_project_state(
        self,
        with_applied_migrations: bool = False,  # noqa: FBT001, FBT002  # Django's own
    ) -> SparingState:
        state = super()._create_project_state(with_applied_migrations)  # type: ignore[misc]  # neither
        return SparingState(models=state.models, real_apps=state.real_apps)
