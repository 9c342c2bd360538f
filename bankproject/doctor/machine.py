"""Whether this machine, the broker and the background work are as the bank needs them."""

import shutil
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


def disk() -> Findings:
    """Tell of a disk that is nearly full."""
    if not env.VAR.is_dir():
        return
    usage = shutil.disk_usage(env.VAR)
    if usage.free < min(LEAST_FREE, usage.total * LEAST_FREE_PART):
        yield danger(str(env.VAR), f"has {usage.free >> 20} MB of its disk left")


def static_files() -> Findings:
    """Tell of pages whose style sheet was never collected."""
    # None where files keep their names, and nothing is collected.
    collected = getattr(staticfiles_storage, "hashed_files", None)
    if collected is not None and not collected:
        yield danger("STATIC_ROOT", "is empty: run manage.py collectstatic, or pages have no style")


def broker() -> Findings:
    """Tell of a broker that is away, open, or forgets what it was told."""
    server = Redis.from_url(settings.REDIS_URL, socket_timeout=_BROKER_SECONDS)
    try:
        kept: Any = server.info("memory")
        policy = kept.get("maxmemory_policy")
    except RedisError as error:
        yield danger("REDIS_URL", f"does not answer: {' '.join(str(error).split())}")
        return
    finally:
        server.close()
    if policy != "noeviction":
        yield danger("REDIS_URL", f"forgets tasks when it is full: maxmemory-policy is {policy}")
    if not server.connection_pool.connection_kwargs.get("password"):
        yield warning("REDIS_URL", "has no password: whoever reaches the broker can give it work")


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
