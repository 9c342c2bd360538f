"""The demo's model: made in the background, of invented loans, so that its pages show scores."""

from datetime import datetime


def ask_for_model(now: datetime) -> None:
    """Have a model made once, in the caller's transaction."""
    # Where workers find it; what it imports needs all models.
    from loans.tasks import train_demo_risk_model

    train_demo_risk_model.ask(key="demo", now=now)
