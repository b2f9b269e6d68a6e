"""The door of the chat: who does not know the password gets nowhere, and guessing takes long."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from app import login as login_module
from app.login import COOKIE, Login
from app.passwords import hash_password
from app.throttle import Throttle

PASSWORD = "three long words"
KEPT = hash_password(PASSWORD)
BEHIND = ("/", "/media/secret.png", "/_stcore/upload_file/1/2", "/_stcore/stream", "/api/../media/secret.png")


async def secret(_: Request) -> Response:
    return PlainTextResponse("the documents")


async def stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("the documents")
    await socket.close()


@pytest.fixture
def client() -> Iterator[TestClient]:
    routes = [
        Route("/", secret),
        Route("/_stcore/health", secret),
        Route("/api/ask", secret, methods=["POST"]),
        WebSocketRoute("/_stcore/stream", stream),
        Route("/{path:path}", secret, methods=["GET", "PUT", "DELETE"]),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(Login, kept=KEPT)])
    with TestClient(app, base_url="http://127.0.0.1:8501", follow_redirects=False) as client:
        yield client


def log_in(client: TestClient, password: str = PASSWORD, **headers: str) -> Any:
    return client.post("/login", data={"password": password}, headers=headers)


@pytest.mark.parametrize("path", BEHIND)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_nothing_is_seen_before_the_login(client: TestClient, path: str, method: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 401
    assert "the documents" not in answer.text


def test_a_browser_is_led_to_the_login(client: TestClient) -> None:
    answer = client.get("/", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    page = client.get("/login")
    assert '<label for="password">' in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "same-origin"  # with "no-referrer", browsers send `Origin: null`


def test_the_websocket_is_closed_before_the_login_and_open_after_it(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_stcore/stream"):
        pass
    log_in(client)
    with client.websocket_connect("ws://127.0.0.1:8501/_stcore/stream") as socket:
        assert socket.receive_text() == "the documents"


def test_the_right_password_opens_everything(client: TestClient) -> None:
    answer = log_in(client)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict"} <= set(re.split("; *", cookie))
    assert "Secure" not in cookie
    assert client.get("/").text == "the documents"
    assert client.get("/login").headers["location"] == "/"


def test_over_tls_the_cookie_never_goes_out_in_the_clear() -> None:
    app = Starlette(middleware=[Middleware(Login, kept=KEPT)])
    with TestClient(app, base_url="https://transom.example", follow_redirects=False) as client:
        assert "Secure" in log_in(client).headers["set-cookie"]


@pytest.mark.parametrize("password", ["", "three long word", PASSWORD + "x", "x" * 10_000])
def test_a_wrong_password_opens_nothing(client: TestClient, password: str) -> None:
    answer = log_in(client, password)
    assert answer.status_code == 401
    assert "That is not the password." in answer.text
    assert "set-cookie" not in answer.headers
    assert client.get("/").status_code == 401


def test_wrong_passwords_cost_time_and_the_right_one_has_to_wait_too(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []
    monkeypatch.setattr(login_module, "is_password", lambda typed, _: tried.append(typed))
    assert [log_in(client, "wrong").status_code for _ in range(3)] == [401] * 3
    answer = log_in(client)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert "Try again in 1 second." in answer.text
    assert tried == ["wrong"] * 3


def test_a_cookie_that_was_made_up_or_changed_opens_nothing(client: TestClient) -> None:
    log_in(client)
    real = client.cookies[COOKIE]
    for forged in ("x", real[:-1], "other." + real.split(".", 1)[1], real.replace(".", "..", 1)):
        client.cookies.clear()
        client.cookies.set(COOKIE, forged)
        assert client.get("/").status_code == 401, forged


def test_who_logs_out_is_out_even_if_the_cookie_was_copied(client: TestClient) -> None:
    log_in(client)
    copied = client.cookies[COOKIE]
    assert client.get("/logout").headers["location"] == "/login"
    client.cookies.set(COOKIE, copied)
    assert client.get("/").status_code == 401


def test_a_form_of_another_site_is_not_taken(client: TestClient) -> None:
    assert log_in(client, origin="http://evil.example").status_code == 403
    assert log_in(client, origin="http://127.0.0.1:8501").status_code == 303


def test_what_has_a_secret_of_its_own_is_left_to_it(client: TestClient) -> None:
    assert client.post("/api/ask").text == "the documents"
    assert client.get("/_stcore/health").status_code == 200


def test_each_wrong_password_doubles_the_wait_up_to_a_limit() -> None:
    now = [0.0]
    throttle = Throttle(lambda: now[0])
    waits = []
    for _ in range(14):
        throttle.wrong("192.0.2.1")
        waits.append(throttle.wait("192.0.2.1"))
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    now[0] = 299.5
    assert throttle.wait("192.0.2.1") == 0.5
    assert throttle.wait("192.0.2.2") == 0
    throttle.right("192.0.2.1")
    assert throttle.wait("192.0.2.1") == 0


def test_one_network_counts_as_one_and_memory_is_bounded() -> None:
    throttle = Throttle(lambda: 0.0)
    for number in range(1, 4):
        throttle.wrong(f"2001:db8::{number}")
    assert throttle.wait("2001:db8::ffff") == 1
    assert throttle.wait("2001:db8:0:1::1") == 0
    for number in range(1100):
        throttle.wrong(f"10.0.{number // 256}.{number % 256}")
    assert len(throttle._wrong) == 1000
    assert throttle.wait("2001:db8::1") == 0
