"""Decide what a bank on this machine runs: servers of its own, or those it is given."""

from collections.abc import Mapping
from typing import Final

from psycopg.conninfo import conninfo_to_dict

from bankproject import env
from bankproject.runtime import postgres, valkey
from bankproject.runtime.errors import StartError
from bankproject.runtime.home import Home
from bankproject.runtime.ports import first_free
from bankproject.runtime.programs import Plan

DATABASE: Final = "bank"
DEFAULT_PORT: Final = 8000
# What a bank was started with holds for the commands beside it, too.
PASSED_ON: Final = (
    "ALLOWED_HOSTS",
    "ALLOW_PLAINTEXT",
    "BANK_SELF_SERVICE_CASH",
    "BANK_TIME_ZONE",
    "CSRF_TRUSTED_ORIGINS",
    "DEFAULT_FROM_EMAIL",
    "EMAIL_URL",
    "SMS_URL",
)


def make_plan(home: Home, *, port: int) -> Plan:
    """Return the plan of the bank in ``home``, with its pages on ``port``.

    Raises:
        StartError: the settings do not fit together.
        ImproperlyConfigured: one of them is not understood, or not allowed.
    """
    secrets = home.load_secrets()
    cluster = None if env.given("DATABASE_URL") else cluster_of(home)
    broker = None if env.given("REDIS_URL") else _valkey_of(home, secrets)
    app, owner = _database_urls(cluster, secrets)
    settings = {
        **{name: value for name in PASSED_ON if (value := env.given(name))},
        "BANK_VAR": str(home.folder),
        "DJANGO_SETTINGS_MODULE": env.given("DJANGO_SETTINGS_MODULE") or "bankproject.settings.dev",
        "SECRET_KEY": env.given("SECRET_KEY") or secrets["SECRET_KEY"],
        "DATABASE_URL": app,
        "REDIS_URL": broker.url if broker else env.broker("REDIS_URL"),
        # On servers of its own the bank is a demo, unless its owner says no.
        "BANK_DEMO": env.given("BANK_DEMO") or ("1" if cluster else "0"),
        "PUBLIC_URL": env.public_address("PUBLIC_URL", f"http://localhost:{port}"),
    }
    return Plan(
        home=home,
        port=port,
        settings=settings,
        owner={"OWNER_DATABASE_URL": owner},
        database="embedded" if cluster else _name_of(app),
        cluster=cluster,
        valkey=broker,
    )


def _database_urls(cluster: postgres.Cluster | None, secrets: Mapping[str, str]) -> tuple[str, str]:
    """Return the addresses of the bank's database for the application and for its owner."""
    if cluster:
        urls = postgres.bank_urls(cluster=cluster, database=DATABASE, passwords=secrets)
        return urls.app, urls.owner
    app, owner = env.given("DATABASE_URL"), env.given("OWNER_DATABASE_URL")
    if app is None or owner is None:
        message = "OWNER_DATABASE_URL is not set; beside DATABASE_URL it says who may migrate"
        raise StartError(message)
    # Understood and allowed, or refused here, in front of the terminal.
    env.database("DATABASE_URL")
    env.database("OWNER_DATABASE_URL")
    return app, owner


def cluster_of(home: Home, *, port: int | None = None) -> postgres.Cluster:
    """Return the embedded PostgreSQL server of ``home``; on a free port when none is named."""
    return postgres.Cluster(
        binaries=postgres.embedded(),
        folder=home.data / "postgres",
        port=port or first_free(home.preferred_port(0)),
    )


def _name_of(url: str) -> str:
    """Return what tells one database from others, without its secrets."""
    parts = conninfo_to_dict(url)
    return f"{parts.get('host')}:{parts.get('port')}/{parts.get('dbname')}"


def _valkey_of(home: Home, secrets: Mapping[str, str]) -> valkey.Valkey:
    return valkey.Valkey(
        binary=valkey.embedded(),
        folder=home.data / "valkey",
        port=first_free(home.preferred_port(10)),
        password=secrets["valkey"],
    )


def prepare_servers(plan: Plan) -> None:
    """Make the data folders of the embedded servers, and check them.

    Raises:
        StartError: they cannot be used.
    """
    if plan.cluster:
        if not plan.cluster.exists:
            plan.cluster.create(password=plan.home.load_secrets()["postgres"])
        plan.cluster.prepare_start()
    if plan.valkey:
        plan.valkey.prepare_start()
