"""What the owner of the index does for others on this machine: a small API beside the chat's pages.

::

    GET  /api/health?challenge=...   {"proof": ...}: this is the owner, because it knows the token
    POST /api/ingest                 the events of an ingest, as in `--json`
    POST /api/remove                 the documents that are forgotten; remove-collection: nothing
    POST /api/require                whether a collection can be asked about
    POST /api/search                 passages
    POST /api/model                  which model answers
    POST /api/ask                    the events of one answer
    POST /api/pin                    how much of what is pinned has been read
    POST /api/read-ahead             how far the reading of a collection is

Every POST shows the token as `Authorization: Bearer`, and is answered with one JSON object a line; an error is one
of them: `{"error": {"kind": ..., "message": ..., ...}}`. A client that hangs up stops the work.
"""

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from functools import partial
from hmac import compare_digest
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from anyio import CancelScope, CapacityLimiter, create_task_group, from_thread, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.ahead.progress import PROGRESS_JSON, Progress
from app.answers import Event, Waiting, Wish
from app.errors import unforeseen
from app.holdings import removal
from app.shared import Shared
from app.wire import answer_event_json
from ingest.errors import IndexUnavailableError, TransomError
from ingest.owner import Owner
from ingest.wire import error_json, event_json, exact_passages_json, where_from_json

T = TypeVar("T")
Rows = Generator[Mapping[str, Any], None, None]
Wanted = Mapping[str, Any]

_CLOSED = (
    "The chat that did this work was closed before it was done.",
    "What was done is kept: run the same command again, and it goes on from there.",
)


def routes(shared: Shared, owner: Owner, closing_down: Callable[[], bool]) -> list[Route]:
    """The API's routes; `closing_down` says when work has to stop because the chat is being closed."""

    async def health(request: Request) -> Response:
        if not _from_here(request):
            return Response(status_code=403)
        return JSONResponse({"proof": owner.proof(request.query_params.get("challenge", ""))})

    async def work(request: Request, do: Callable[[Shared, Wanted], Rows]) -> Response:
        if not _from_here(request):
            return Response(status_code=403)
        if not compare_digest(request.headers.get("authorization", "").encode(), f"Bearer {owner.token}".encode()):
            return Response(status_code=401)
        return Streamed(do(shared, await request.json()), closing_down)

    posts = [Route(f"/api/{name}", partial(work, do=do), methods=["POST"]) for name, do in _WORK.items()]
    return [Route("/api/health", health), *posts]


class Streamed(Response):
    """Rows of JSON from an iterator that runs in a thread of its own, until it ends or the client hangs up."""

    media_type = "application/x-ndjson"

    def __init__(self, rows: Rows, closing_down: Callable[[], bool]) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._rows = rows
        self._closing_down = closing_down

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        async with create_task_group() as group:
            group.start_soon(_cancel_when_gone, receive, group.cancel_scope)
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await to_thread.run_sync(self._pump, send, limiter=CapacityLimiter(1))
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            group.cancel_scope.cancel()

    def _pump(self, send: Send) -> None:
        async def write(row: Mapping[str, Any]) -> None:
            line = json.dumps(row).encode() + b"\n"
            await send({"type": "http.response.body", "body": line, "more_body": True})

        with closing(self._told()) as rows:
            for row in rows:
                from_thread.check_cancelled()
                from_thread.run(write, row)

    def _told(self) -> Rows:
        """The rows, and an error as the last of them."""
        try:
            with closing(self._rows):
                for row in self._rows:
                    yield row
                    if self._closing_down():
                        raise IndexUnavailableError(*_CLOSED)
        except TransomError as error:
            yield {"error": error_json(error)}
        except Exception as error:
            yield {"error": error_json(unforeseen(error))}


async def _cancel_when_gone(receive: Receive, scope: CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


def _from_here(request: Request) -> bool:
    """Whether a request comes from this machine, and from no page of another site."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        return False
    return request.client is not None and ip_address(request.client.host).is_loopback


def _ingest(shared: Shared, wanted: Wanted) -> Rows:
    library, paths = shared.library(), [Path(path) for path in wanted["paths"]]
    begin = partial(library.ingest, paths, wanted["collection"], **wanted["wishes"])
    yield from _each(event_json, shared.ingests.run(begin))


def _remove(shared: Shared, wanted: Wanted) -> Rows:
    yield from _each(event_json, shared.ingests.run(partial(shared.library().forget, wanted["documents"])))


def _remove_collection(shared: Shared, wanted: Wanted) -> Rows:
    begin = partial(removal, shared.library(), wanted["collection"])
    yield from _each(event_json, shared.ingests.run(begin))


def _require(shared: Shared, wanted: Wanted) -> Rows:
    shared.library().require(wanted["collection"])
    yield {}


def _search(shared: Shared, wanted: Wanted) -> Rows:
    found = shared.library().search(wanted["query"], wanted["limit"], where_from_json(wanted["where"]))
    yield {"passages": exact_passages_json(found)}


def _model(shared: Shared, _: Wanted) -> Rows:
    yield {"notice": shared.assistant().notice}


def _ask(shared: Shared, wanted: Wanted) -> Rows:
    assistant = shared.assistant()
    where, wish = where_from_json(wanted["where"]), Wish(**wanted["wish"])
    yield from _in_turn(shared, assistant.stream(wanted["question"], where, wish, wanted["named"]))


def _pin(shared: Shared, wanted: Wanted) -> Rows:
    yield from _in_turn(shared, shared.assistant().pin(wanted["documents"], wanted["collection"]))


def _in_turn(shared: Shared, events: Iterator[Event]) -> Rows:
    """What the model does when nobody else has it any more."""
    with closing(shared.turns.wait()) as waiting:
        yield from (answer_event_json(Waiting(ahead)) for ahead in waiting)
    try:
        yield from _each(answer_event_json, events)
    finally:
        shared.turns.end()


def _read_ahead(shared: Shared, wanted: Wanted) -> Rows:
    shared.assistant().require(wanted["collection"])
    yield from _each(_progress_json, shared.ahead.follow(wanted["collection"], wanted["limit"]))


def _progress_json(progress: Progress) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], PROGRESS_JSON.dump_python(progress, mode="json"))


def _each(to_json: Callable[[T], Mapping[str, Any]], events: Iterator[T]) -> Rows:
    with closing(cast(Generator[T, None, None], events)):
        yield from map(to_json, events)


_WORK: Mapping[str, Callable[[Shared, Wanted], Rows]] = {
    "ingest": _ingest,
    "remove": _remove,
    "remove-collection": _remove_collection,
    "require": _require,
    "search": _search,
    "model": _model,
    "ask": _ask,
    "pin": _pin,
    "read-ahead": _read_ahead,
}
