"""The least that can answer: Starlette and asyncpg, calling the functions that the bank calls.

No authentication, no checks of the body, no rights: what it leaves out is what the bank costs.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

POST = """
SELECT transfer_id, debit_after
FROM ledger.post_v1(
    p_client => $1, p_key => $2, p_debit => $3, p_credit => $4, p_amount => $5, p_currency => $6,
    p_kind => 'transfer', p_channel => 'api', p_day => $7, p_holder => $1, p_memo => $8
)
"""
ENTRIES = """
SELECT
    e.id, e.change, e.balance_after, e.counterparty, e.kind, e.channel, e.memo, e.event_at,
    ledger.id_time_v1(e.id) AS recorded_at, e.currency
FROM ledger.entry AS e
WHERE e.account = $1 AND e.kind <> 'move' AND e.id < $2
ORDER BY e.id DESC
LIMIT 51
"""
LAST = UUID(int=2**128 - 1)
PAGE = 50


@asynccontextmanager
async def pool(app: Starlette) -> AsyncIterator[None]:
    """Keep connections for as long as the application runs."""
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=8, max_size=8) as found:
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
    return JSONResponse({"id": str(row[0]), "debit_balance_after": row[1]}, status_code=201)


async def statement(request: Request) -> JSONResponse:
    """Show the first 50 entries."""
    rows = await request.app.state.pool.fetch(ENTRIES, int(request.path_params["number"]), LAST)
    entries = [_entry(row) for row in rows[:PAGE]]
    return JSONResponse({"entries": entries, "has_more": len(rows) > PAGE})


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
