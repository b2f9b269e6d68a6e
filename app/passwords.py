"""The chat's password: kept as a hash, checked slowly, set with `transom password`.

scrypt comes with Python, wants 128 MB for each try, and is one of the ways that OWASP recommends; Argon2 would be
another compiled package for the same.
"""

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from ipaddress import ip_address
from typing import TYPE_CHECKING

import click

from ingest.errors import SettingsError, UsageError

if TYPE_CHECKING:
    from app.settings import Settings

SHORTEST = 8
"""Characters."""

_COST, _BLOCK, _LANES = 17, 8, 1
_MEMORY = 256 << 20


def hash_password(password: str) -> str:
    """What is kept of a password; raises :class:`UsageError` for a short one."""
    if len(password) < SHORTEST:
        raise UsageError(f"The password is shorter than {SHORTEST} characters.", "Take a longer one: a few words do.")
    salt = secrets.token_bytes(16)
    digest = _scrypt(password, salt, _COST, _BLOCK, _LANES)
    return ":".join(("scrypt", f"{_COST}", f"{_BLOCK}", f"{_LANES}", _text(salt), _text(digest)))


def is_password(password: str, kept: str) -> bool:
    """Whether this is the password of which `kept` is the hash; takes a part of a second, right or wrong."""
    _, cost, block, lanes, salt, digest = kept.split(":")
    found = _scrypt(password, b64decode(salt), int(cost), int(block), int(lanes))
    return hmac.compare_digest(found, b64decode(digest))


def required_hash(settings: "Settings", host: str) -> str | None:
    """The hash that a visitor's password is compared with; None where nobody has to show one.

    Raises :class:`UsageError` where others could reach `host` and there is no password, and
    :class:`SettingsError` where what is set is neither a hash nor long enough for a password.
    """
    kept = settings.chat.password.get_secret_value() if settings.chat.password else ""
    if not kept:
        if not is_loopback(host):
            raise UsageError(_OPEN.format(host=host), _SET)
        return None
    if not kept.startswith("scrypt:"):  # the password itself, as it comes from an environment variable
        return hash_password(kept)
    try:
        is_password("", kept)
    except ValueError as error:
        raise SettingsError("chat.password is no hash of a password.", "Set it anew: `transom password`.") from error
    return kept


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@click.command()
@click.option("--remove", is_flag=True, help="Take it away: then the chat listens on this machine only.")
@click.pass_obj
def password(settings: "Settings", remove: bool) -> None:
    """Set the password of the chat: without one it is not open to a network."""
    from app.settings_file import overruled, write_settings

    kept = None if remove else hash_password(_asked())
    values = {"chat": {"password": kept}}
    file = write_settings(settings.home, values)
    click.echo(f"{'There is no password any more' if remove else 'The password is set'} ({file}).", err=True)
    click.echo("A chat that is open takes note when it is started the next time.", err=True)
    for name in overruled(values):
        click.secho(f"But the environment variable {name} is set, and wins while it is.", fg="yellow", err=True)


def _asked() -> str:
    answered: str = click.prompt("Password", hide_input=True, confirmation_prompt="Once more", err=True)
    return answered


def _scrypt(password: str, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=1 << cost, r=block, p=lanes, maxmem=_MEMORY, dklen=32)


def _text(value: bytes) -> str:
    return b64encode(value).decode()


_OPEN = "Transom does not listen on {host} without a password: whoever reaches it could read your documents."
_SET = (
    "Set one with `transom password` (or in the variable TRANSOM_CHAT__PASSWORD), or leave out --host: "
    "then it listens on this machine only."
)
