"""Whether this machine, the broker and the background work are as the bank needs them."""

import shutil
from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import DatabaseError
from redis import Redis, RedisError

from bankproject import env
from bankproject.doctor.findings import Findings, danger, warning
from core.clock import now
from core.jobs.state import state_of_jobs

LEAST_FREE: Final = 1 << 30
LEAST_FREE_PART: Final = 0.1
_BROKER_SECONDS: Final = 2.0
# Every Valkey says it is Redis 7.
_OLDEST_REDIS: Final = 7


def disk() -> Findings:
    """Tell of a disk that is nearly full: of this machine's data, and of the backups."""
    for folder in (env.VAR, settings.BACKUP_FOLDER):
        if folder is None or not folder.is_dir():
            continue
        usage = shutil.disk_usage(folder)
        if usage.free < min(LEAST_FREE, usage.total * LEAST_FREE_PART):
            yield danger(str(folder), f"has {usage.free >> 20} MB of its disk left")


def static_files() -> Findings:
    """Tell of pages whose style sheet was never collected."""
    # None where files keep their names, and nothing is collected.
    collected = getattr(staticfiles_storage, "hashed_files", None)
    if collected is not None and not collected:
        yield danger("STATIC_ROOT", "is empty: run manage.py collectstatic, or pages have no style")


def broker() -> Findings:
    """Tell of a broker that is away, too old, open, or forgets what it was told."""
    server = Redis.from_url(settings.REDIS_URL, socket_timeout=_BROKER_SECONDS)
    try:
        said: Any = server.info()
    except RedisError as error:
        yield danger("REDIS_URL", f"does not answer: {' '.join(str(error).split())}")
        return
    finally:
        server.close()
    yield from of_broker(said)
    if not server.connection_pool.connection_kwargs.get("password"):
        yield warning("REDIS_URL", "has no password: whoever reaches the broker can give it work")


def of_broker(said: Mapping[str, Any]) -> Findings:
    """Tell what is wrong with a broker by what it says of itself."""
    version, policy = str(said["redis_version"]), said.get("maxmemory_policy")
    if int(version.partition(".")[0]) < _OLDEST_REDIS:
        sentence = f"is Redis {version}; Valkey, or Redis {_OLDEST_REDIS} or newer is needed"
        yield danger("REDIS_URL", sentence)
    if policy != "noeviction":
        yield danger("REDIS_URL", f"forgets tasks when it is full: maxmemory-policy is {policy}")


def background() -> Findings:
    """Tell of work that nobody does, or that was given up."""
    try:
        state = state_of_jobs(now=now())
    except DatabaseError:
        # The head office's own finding.
        return
    if state.broker and not state.broker.workers:
        yield danger("worker", "none answers: mails and webhooks wait (docs/howto/operate.md)")
    for name, jobs in (("dead", state.dead), ("overdue", state.late_jobs)):
        if jobs:
            yield warning("jobs", f"{len(jobs)} are {name}; manage.py jobs shows them")
    if state.late_tasks:
        yield danger("beat", f"woke {state.late_tasks[0].name} too late, or never: is it running?")
