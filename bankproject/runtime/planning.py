"""Decide what a bank on this machine runs: servers of its own, or those it is given."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Final

from psycopg.conninfo import conninfo_to_dict

from bankproject import env
from bankproject.runtime import ports, postgres, valkey
from bankproject.runtime.balancing import balancing_of
from bankproject.runtime.errors import StartError
from bankproject.runtime.home import Home
from bankproject.runtime.programs import WEB_WORKERS, Plan, server_name
from core.db.aliases import HEAD_OFFICE, REPLICA

DATABASE: Final = "bank"
DEFAULT_PORT: Final = 8000
# The branches that a bank with servers of its own begins with.
OWN_BRANCHES: Final = {"MUM": "Mumbai", "DEL": "Delhi"}
# One machine has them all: what is set for the head office would be much for each of the others.
SMALL: Final = {"shared_buffers": "64MB"}
# Who changes the schema, who copies to the replica, and who backs up: not for the bank's own
# processes.
_OWNERS: Final = ("OWNER_DATABASE_URL", "REPLICATION_DATABASE_URL", "BACKUP_DATABASE_URL")
# What a bank was started with holds for the commands beside it, too.
PASSED_ON: Final = (
    "ALLOWED_HOSTS",
    "ALLOW_PLAINTEXT",
    "ALLOW_PRIVATE_ADDRESSES",
    "BACKEND_NETWORKS",
    "BACKUP_FOLDER",
    "BACKUP_KEEP_DAYS",
    "BALANCER_METRICS",
    "BALANCER_TOKEN",
    "BANK_LOCATIONS",
    "BANK_SELF_SERVICE_CASH",
    "BANK_TIME_ZONE",
    "CSRF_TRUSTED_ORIGINS",
    "DEFAULT_FROM_EMAIL",
    "EMAIL_URL",
    "METRICS_TOKEN",
    "SMS_URL",
    "TRUSTED_PROXY_COUNT",
)


def make_plan(home: Home, *, host: str, port: int) -> Plan:
    """Return the plan of the bank in ``home``, with its pages on ``port`` of ``host``.

    Raises:
        StartError: the settings do not fit together.
        ImproperlyConfigured: one of them is not understood, or not allowed.
    """
    secrets = home.load_secrets()
    clusters = {} if env.given("DATABASE_URL") else clusters_of(home)
    broker = None if env.given("REDIS_URL") else _valkey_of(home, secrets)
    databases, owner = _own_databases(clusters, secrets) if clusters else _given_databases()
    balancing = balancing_of(home, workers=WEB_WORKERS, is_alone=bool(clusters))
    settings = {
        **_given_of(PASSED_ON),
        **databases,
        "BANK_VAR": str(home.folder),
        "DJANGO_SETTINGS_MODULE": env.given("DJANGO_SETTINGS_MODULE") or "bankproject.settings.dev",
        "SECRET_KEY": env.given("SECRET_KEY") or secrets["SECRET_KEY"],
        "REDIS_URL": broker.url if broker else env.broker("REDIS_URL"),
        # On servers of its own the bank is a demo, unless its owner says no.
        "BANK_DEMO": env.given("BANK_DEMO") or ("1" if clusters else "0"),
        **_addresses(host, port),
        **(balancing.settings if balancing else {}),
    }
    return Plan(
        home=home,
        host=host,
        port=port,
        settings=settings,
        owner=owner,
        database="embedded" if clusters else _name_of(databases["DATABASE_URL"]),
        aliases=tuple(clusters) or _given_aliases(),
        clusters=clusters,
        valkey=broker,
        balancing=balancing,
    )


def _addresses(host: str, port: int) -> dict[str, str]:
    """Return under which addresses people reach the pages."""
    name = "localhost" if host == ports.LOOPBACK or ip_address(host).is_unspecified else host
    shown = f"[{name}]" if ":" in name else name
    found = {"PUBLIC_URL": env.public_address("PUBLIC_URL", f"http://{shown}:{port}")}
    if name != "localhost":
        found["ALLOWED_HOSTS"] = env.given("ALLOWED_HOSTS") or f"localhost,127.0.0.1,{shown}"
    return found


def _own_databases(
    clusters: Mapping[str, postgres.Cluster], secrets: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the addresses of the embedded servers' databases, and what only the opening is told.

    Raises:
        StartError: other servers are given for some of them.
    """
    others = ("BRANCH_DATABASE_URLS", "REPLICA_DATABASE_URL", *_OWNERS)
    for name in others:
        if env.given(name):
            message = f"{name} is set and DATABASE_URL is not: a bank has its own servers or none"
            raise StartError(message)
    urls = {
        alias: postgres.bank_urls(cluster=cluster, database=DATABASE, passwords=secrets)
        for alias, cluster in clusters.items()
    }
    branches = ",".join(f"{code}={urls[code].app}" for code in OWN_BRANCHES)
    databases = {
        "DATABASE_URL": urls[HEAD_OFFICE].app,
        "BRANCH_DATABASE_URLS": branches,
        "REPLICA_DATABASE_URL": urls[REPLICA].readonly,
    }
    head_office = urls[HEAD_OFFICE]
    owners = (head_office.owner, head_office.replica, head_office.backup)
    return databases, dict(zip(_OWNERS, owners, strict=True))


def _given_databases() -> tuple[dict[str, str], dict[str, str]]:
    """Return the addresses that the environment gives; understood and allowed, or refused here.

    Raises:
        StartError: nobody is named who may migrate, or copy to the replica.
    """
    owner = env.given("OWNER_DATABASE_URL")
    if owner is None:
        message = "OWNER_DATABASE_URL is not set; beside DATABASE_URL it says who may migrate"
        raise StartError(message)
    env.database("DATABASE_URL")
    env.database("OWNER_DATABASE_URL")
    if env.given("BRANCH_DATABASE_URLS"):
        env.branch_databases("BRANCH_DATABASE_URLS")
    if env.given("BACKUP_DATABASE_URL"):
        env.database("BACKUP_DATABASE_URL")
    if env.given("REPLICA_DATABASE_URL"):
        if env.given("REPLICATION_DATABASE_URL") is None:
            message = "REPLICATION_DATABASE_URL is not set: as whom the replica copies the nodes"
            raise StartError(message)
        env.database("REPLICA_DATABASE_URL")
        env.database("REPLICATION_DATABASE_URL")
    names = ("DATABASE_URL", "BRANCH_DATABASE_URLS", "REPLICA_DATABASE_URL")
    return _given_of(names), _given_of(_OWNERS)


def _given_of(names: Iterable[str]) -> dict[str, str]:
    return {name: value for name in names if (value := env.given(name))}


def _given_aliases() -> tuple[str, ...]:
    branches = env.branch_urls("BRANCH_DATABASE_URLS") if env.given("BRANCH_DATABASE_URLS") else {}
    replica = (REPLICA,) if env.given("REPLICA_DATABASE_URL") else ()
    return (HEAD_OFFICE, *branches, *replica)


def clusters_of(
    home: Home, known_ports: Mapping[str, int] | None = None
) -> dict[str, postgres.Cluster]:
    """Return the embedded PostgreSQL servers of ``home`` by their nodes' aliases.

    On free ports, unless they are known.
    """
    found = dict(known_ports or {})
    for offset, alias in enumerate((HEAD_OFFICE, *OWN_BRANCHES, REPLICA)):
        if alias not in found:
            preferred = home.preferred_port(offset)
            found[alias] = ports.first_free(preferred, besides=found.values())
    binaries = postgres.embedded()
    return {
        alias: postgres.Cluster(
            binaries=binaries,
            folder=home.data / server_name(alias),
            port=port,
            settings={} if alias == HEAD_OFFICE else SMALL,
        )
        for alias, port in found.items()
    }


def _name_of(url: str) -> str:
    """Return what tells one database from others, without its secrets."""
    parts = conninfo_to_dict(url)
    return f"{parts.get('host')}:{parts.get('port')}/{parts.get('dbname')}"


def _valkey_of(home: Home, secrets: Mapping[str, str]) -> valkey.Valkey:
    return valkey.Valkey(
        binary=valkey.embedded(),
        folder=home.data / "valkey",
        port=ports.first_free(home.preferred_port(10)),
        password=secrets["valkey"],
    )


def _make(clusters: Sequence[postgres.Cluster], *, password: str) -> None:
    with ThreadPoolExecutor() as several:
        list(several.map(lambda cluster: cluster.create(password=password), clusters))
    for cluster in clusters:
        cluster.prepare_start()


def prepare_servers(plan: Plan) -> None:
    """Check the data folders of the embedded servers, make those missing, and brief the balancer.

    Raises:
        StartError: one that is there cannot be used, and none was made; or one cannot be made.
    """
    missing = [cluster for cluster in plan.clusters.values() if not cluster.exists]
    for cluster in plan.clusters.values():
        if cluster not in missing:
            cluster.prepare_start()
    _make(missing, password=plan.home.load_secrets()["postgres"])
    if plan.valkey:
        plan.valkey.prepare_start()
    if plan.balancing:
        plan.balancing.write_first_snapshot(plan.settings["PUBLIC_URL"])
