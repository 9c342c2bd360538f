"""One GET of our own: checks ask backends so, and the data plane its snapshots."""

import asyncio
from collections.abc import Mapping

from lb.data.bodies import ChunkedBody
from lb.data.heads import END, MAX_HEAD, HeadParser, RefusedError, ResponseHead


async def fetch(
    address: tuple[str, int], path: str, *, fields: Mapping[str, str], seconds: float, most: int
) -> tuple[int, bytes]:
    """Return the status and the body of an answer; ``fields`` are what the request says, too.

    Raises ``OSError`` when there is none in time, and ``RefusedError`` when it is no HTTP or too
    long.
    """
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(*address, limit=MAX_HEAD)
        try:
            said = [f"{name}: {value}" for name, value in fields.items()]
            lines = [f"GET {path} HTTP/1.1", *said, "Connection: close", "", ""]
            writer.write("\r\n".join(lines).encode("ascii"))
            return await _answer(reader, most)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            raise RefusedError(502, "the answer breaks off, or its head is too long") from None
        finally:
            writer.transport.abort()


async def _answer(reader: asyncio.StreamReader, most: int) -> tuple[int, bytes]:
    response = HeadParser().response(await reader.readuntil(END))
    if response.chunked:
        return response.status, await _chunked(reader, most)
    return response.status, await _plain(reader, response, most)


async def _plain(reader: asyncio.StreamReader, response: ResponseHead, most: int) -> bytes:
    if response.status in (204, 304):
        return b""
    if response.length is None:
        body = await reader.read(most + 1)
    elif response.length <= most:
        return await reader.readexactly(response.length)
    else:
        body = b""
    if len(body) > most:
        raise RefusedError(502, "the answer is too long")
    return body


async def _chunked(reader: asyncio.StreamReader, most: int) -> bytes:
    chunks, body = ChunkedBody(), b""
    while len(body) <= most:
        data = await reader.read(MAX_HEAD)
        if not data:
            break
        payload, rest = chunks.feed(data)
        body += payload
        if rest is not None:
            return body
    raise RefusedError(502, "the answer breaks off, or is too long")
