"""The chat's password: how it is kept, set, and when there has to be one."""

import stat
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import cli
from app.passwords import hash_password, is_loopback, is_password, required_hash
from app.settings import Settings
from ingest.errors import SettingsError, UsageError

PASSWORD = "drei lange Wörter"


def kept_in(home: Path) -> str:
    password = Settings.load().chat.password
    return password.get_secret_value() if password else ""


def test_a_hash_tells_right_from_wrong_and_no_two_are_alike() -> None:
    first, second = hash_password(PASSWORD), hash_password(PASSWORD)
    assert first != second
    assert PASSWORD not in first
    assert is_password(PASSWORD, first)
    assert not is_password(PASSWORD + " ", first)


def test_a_short_password_is_refused() -> None:
    with pytest.raises(UsageError, match="shorter than 8"):
        hash_password("1234567")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.com", ""])
def test_others_are_let_in_with_a_password_only(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_loopback(host)
    with pytest.raises(UsageError, match="without a password") as error:
        required_hash(Settings.load(), host)
    assert "transom password" in error.value.hint
    monkeypatch.setenv("TRANSOM_CHAT__PASSWORD", "")
    with pytest.raises(UsageError):
        required_hash(Settings.load(), host)
    monkeypatch.setenv("TRANSOM_CHAT__PASSWORD", PASSWORD)
    kept = required_hash(Settings.load(), host)
    assert kept
    assert is_password(PASSWORD, kept)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_on_this_machine_there_need_not_be_one(host: str) -> None:
    assert is_loopback(host)
    assert required_hash(Settings.load(), host) is None


def test_what_is_no_hash_is_told_before_anybody_tries_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSOM_CHAT__PASSWORD", "scrypt:17:8:half")
    with pytest.raises(SettingsError, match="no hash"):
        required_hash(Settings.load(), "127.0.0.1")


def test_it_is_set_and_taken_away_in_a_terminal(home: Path) -> None:
    home.mkdir()
    (home / "transom.toml").write_text("# mine\n[chat]\nport = 9000\n")
    done = CliRunner().invoke(cli, ["password"], input=f"{PASSWORD}\n{PASSWORD}\n", catch_exceptions=False)
    assert done.exit_code == 0
    assert PASSWORD not in done.output
    assert is_password(PASSWORD, kept_in(home))
    text = (home / "transom.toml").read_text()
    assert text.startswith("# mine\n[chat]\nport = 9000\n")
    assert PASSWORD not in text
    CliRunner().invoke(cli, ["password", "--remove"], catch_exceptions=False)
    assert (home / "transom.toml").read_text() == "# mine\n[chat]\nport = 9000\n"


@pytest.mark.skipif(sys.platform == "win32", reason="no such permissions")
def test_a_new_settings_file_is_its_owners_alone(home: Path) -> None:
    CliRunner().invoke(cli, ["password"], input=f"{PASSWORD}\n{PASSWORD}\n", catch_exceptions=False)
    assert stat.S_IMODE((home / "transom.toml").stat().st_mode) == 0o600


def test_a_variable_that_wins_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSOM_CHAT__PASSWORD", "another one")
    done = CliRunner().invoke(cli, ["password", "--remove"], catch_exceptions=False)
    assert "TRANSOM_CHAT__PASSWORD is set, and wins" in done.output


def test_the_password_is_nowhere_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSOM_CHAT__PASSWORD", PASSWORD)
    settings = Settings.load()
    assert PASSWORD not in repr(settings)
    assert PASSWORD not in settings.model_dump_json()
