"""The least that can answer: Starlette and asyncpg, with the statements that the bank sends.

No authentication, no checks of the body, no rights: what it leaves out is what the bank costs.
"""

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from core.db.sql import queries

POST = """
SELECT transfer_id, debit_after, flushed
FROM ledger.post_v2(
    p_client => $1, p_key => $2, p_debit => $3, p_credit => $4, p_amount => $5, p_currency => $6,
    p_kind => 'transfer', p_channel => 'api', p_day => $7, p_holder => $1, p_memo => $8
)
"""
PAGE = 50
_PARAMETER = re.compile(r"%\((\w+)\)s")
_QUERIES = queries(Path(__file__).parents[1] / "transactions" / "ledger" / "sql" / "queries.sql")
_OPEN = {
    "since": datetime(1970, 1, 1, tzinfo=UTC),
    "until": datetime(9999, 1, 1, tzinfo=UTC),
    **dict.fromkeys(("value_since", "value_until", "direction", "least", "most", "kind", "text")),
}


@asynccontextmanager
async def pool(app: Starlette) -> AsyncIterator[None]:
    """Keep connections for as long as the application runs."""
    async with asyncpg.create_pool(
        os.environ["DATABASE_URL"],
        min_size=8,
        max_size=8,
        # As the bank's own connections have it.
        server_settings={"plan_cache_mode": "force_generic_plan"},
    ) as found:
        app.state.pool = found
        yield


async def transfer(request: Request) -> JSONResponse:
    """Post a transfer."""
    body = await request.json()
    row = await request.app.state.pool.fetchrow(
        POST,
        int(request.headers["x-person"]),
        request.headers["idempotency-key"],
        int(body["debit_account"]),
        int(body["credit_account"]),
        int(body["amount"].replace(".", "")),
        body["currency"],
        datetime.now(UTC).date(),
        body["memo"],
    )
    if not row[2]:
        await request.app.state.pool.execute(_QUERIES["wait_for_disk"])
    return JSONResponse({"id": str(row[0]), "debit_balance_after": row[1]}, status_code=201)


async def statement(request: Request) -> JSONResponse:
    """Show the first 50 entries."""
    account = int(request.path_params["number"])
    async with request.app.state.pool.acquire() as connection:
        user = int(request.headers["x-person"])
        (found,) = await _fetch(connection, "account_of", user=user, number=account)
        rows = await _fetch(
            connection, "entries", account=account, before=found["before"], limit=PAGE + 1, **_OPEN
        )
    entries = [_entry(row) for row in rows[:PAGE]]
    return JSONResponse(
        {"balance": found["balance"], "entries": entries, "has_more": len(rows) > PAGE}
    )


async def _fetch(connection: Any, name: str, **values: object) -> list[asyncpg.Record]:
    found: list[asyncpg.Record] = await connection.fetch(
        _numbered(name), *(values[parameter] for parameter in _parameters(name))
    )
    return found


@cache
def _parameters(name: str) -> list[str]:
    """Return a query's parameters, in the order in which they are numbered."""
    return list(dict.fromkeys(_PARAMETER.findall(_QUERIES[name])))


@cache
def _numbered(name: str) -> str:
    """Return a query of the bank's as asyncpg takes it."""
    places = {parameter: place for place, parameter in enumerate(_parameters(name), start=1)}
    return _PARAMETER.sub(lambda found: f"${places[found[1]]}", _QUERIES[name])


def _entry(row: asyncpg.Record) -> dict[str, object]:
    return {
        "transfer_id": str(row["id"]),
        "amount": row["change"],
        "balance_after": row["balance_after"],
        "counterparty_account": str(row["counterparty"]),
        "kind": row["kind"],
        "channel": row["channel"],
        "memo": row["memo"],
        "event_at": row["event_at"].isoformat(),
        "recorded_at": row["recorded_at"].isoformat(),
    }


application = Starlette(
    lifespan=pool,
    routes=[
        Route("/transfers", transfer, methods=["POST"]),
        Route("/accounts/{number}/statement", statement),
    ],
)
