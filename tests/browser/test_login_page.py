"""A chat with a password: what is seen before it is shown, and after."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import serving, visiting
from tests.browser.steps import PHONE, assert_for_everybody, picture

pytestmark = pytest.mark.browser

PASSWORD = "three long words"


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory, empty_environment: dict[str, str]) -> Iterator[str]:
    home: Path = tmp_path_factory.mktemp("locked")
    environment = {**empty_environment, "TRANSOM_HOME": str(home), "TRANSOM_CHAT__PASSWORD": PASSWORD}
    with serving(environment, "--host", "0.0.0.0") as address:
        yield address


def log_in(page: Page, password: str) -> None:
    page.get_by_label("Password").fill(password)
    page.get_by_label("Password").press("Enter")


def test_a_wrong_password_is_told_and_the_right_one_opens_the_chat(browser: Browser, locked: str) -> None:
    with visiting(browser, locked) as page:
        expect(page).to_have_url(f"{locked}/login")
        log_in(page, "three short words")
        expect(page.get_by_role("alert")).to_have_text("That is not the password.")
        assert page.request.get(f"{locked}/_stcore/host-config").status == 401
        log_in(page, PASSWORD)
        expect(page.get_by_text("There is no model yet.")).to_be_visible(timeout=60_000)
        assert page.request.get(f"{locked}/_stcore/host-config").status == 200
        (cookie,) = [each for each in page.context.cookies() if each["name"] == "transom_login"]
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        page.goto(f"{locked}/logout")
        page.goto(f"{locked}/library")
        expect(page).to_have_url(f"{locked}/login")


def test_the_login_is_for_everybody(browser: Browser, locked: str) -> None:
    with visiting(browser, locked, viewport=PHONE) as page:
        log_in(page, "wrong password")
        expect(page.get_by_role("alert")).to_be_visible()
        picture(page, "login")
        assert_for_everybody(page)
