"""The door of the chat: who has no valid cookie sees the login page and nothing else.

It stands in front of all that the server has: pages, their WebSocket, uploads and media. The owner's API has a secret
of its own (:mod:`app.api`).
"""

import re
import secrets
from html import escape
from math import ceil
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from anyio import Lock, to_thread
from itsdangerous import BadSignature, TimestampSigner
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from app.passwords import is_password
from app.throttle import Throttle

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

COOKIE = "transom_login"
_OPEN = re.compile(r"/_stcore/health|/api/[a-z-]+")
"""What is answered without a login: whether the server is up, and the API that has a secret of its own."""
_LASTS = 30 * 24 * 3600
"""Seconds that a login lasts, if the chat is not started anew before."""
_MOST = 4096
"""Bytes of a form that somebody sends who is not known yet."""
_PAGE = Template(Path(__file__).with_name("ui").joinpath("login.html").read_text("utf-8"))
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",  # with none at all, browsers would not say where the form comes from
}


class Login:
    """Middleware that lets in who knows the password whose hash is `kept`."""

    def __init__(self, app: "ASGIApp", kept: str) -> None:
        self._app = app
        self._kept = kept
        self._signer = TimestampSigner(secrets.token_bytes(32), salt=COOKIE)
        self._left: set[str] = set()
        """Logins that were ended before their time."""
        self._throttle = Throttle()
        self._one_at_a_time = Lock()

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Passes on what comes from somebody who is let in, or needs no login."""
        if scope["type"] == "lifespan" or _OPEN.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] in ("/login", "/logout"):
            answer = await self._answer(Request(scope, receive))
            await answer(scope, receive, send)
        elif self._is_known(HTTPConnection(scope)):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _turned_away(Request(scope))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.url.path == "/logout":
            if self._is_known(request):
                self._left.add(request.cookies[COOKIE])
            answer = _seen_off()
            answer.delete_cookie(COOKIE)
            return answer
        if request.method != "POST":
            return _seen_off("/") if self._is_known(request) else _page()
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
            return PlainTextResponse("This form is sent from Transom's own page only.", 403)
        return await self._try(request, await _typed(request))

    async def _try(self, request: Request, typed: str) -> Response:
        address = request.client.host if request.client else ""
        async with self._one_at_a_time:  # a try costs memory, and so nobody tries many at once
            if wait := ceil(self._throttle.wait(address)):
                told = f"Too many wrong passwords. Try again in {wait} second{'' if wait == 1 else 's'}."
                return _page(told, 429, {"Retry-After": str(wait)})
            if not await to_thread.run_sync(is_password, typed, self._kept):
                self._throttle.wrong(address)
                return _page("That is not the password.", 401)
        self._throttle.right(address)
        answer = _seen_off("/")
        answer.set_cookie(
            COOKIE,
            self._signer.sign(secrets.token_urlsafe(16)).decode(),
            max_age=_LASTS,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    def _is_known(self, connection: HTTPConnection) -> bool:
        shown = connection.cookies.get(COOKIE, "")
        if shown in self._left:
            return False
        try:
            self._signer.unsign(shown, max_age=_LASTS)
        except BadSignature:
            return False
        return True


async def _typed(request: Request) -> str:
    """The password in a form; empty where there is none, or the form is too long for one."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST:
            return ""
    return parse_qs(body.decode("utf-8", "replace")).get("password", [""])[0]


def _page(told: str = "", status: int = 200, headers: dict[str, str] | None = None) -> Response:
    alert = f'<p id="told" role="alert">{escape(told)}</p>' if told else ""
    return HTMLResponse(_PAGE.substitute(told=alert), status, {**_HEADERS, **(headers or {})})


def _turned_away(request: Request) -> Response:
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        return _seen_off()
    return PlainTextResponse("Log in first.", 401, {"Cache-Control": "no-store"})


def _seen_off(to: str = "/login") -> Response:
    return RedirectResponse(to, 303, {"Cache-Control": "no-store"})
