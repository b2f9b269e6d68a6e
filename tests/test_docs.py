import re
from pathlib import Path

import click
import pytest

from app.cli import cli
from scripts.document_settings import page

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands(group: click.Group, prefix: str = "transom") -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        found[f"{prefix} {name}"] = command
        if isinstance(command, click.Group):
            found |= commands(command, f"{prefix} {name}")
    return found


COMMANDS = commands(cli)


def test_the_settings_page_is_what_the_code_says() -> None:
    assert (ROOT / "docs/settings.md").read_text() == page()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_in_the_cli_page(name: str) -> None:
    text = (ROOT / "docs/cli.md").read_text()
    assert name in text
    for parameter in COMMANDS[name].params:
        if isinstance(parameter, click.Option):
            for option in parameter.opts:
                assert option in text, f"{option} of {name}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_and_pictures_are_there(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)\)", path.read_text()):
        if "://" not in target:
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_commands_that_are_named_exist(path: Path) -> None:
    for line in re.findall(r"`(?:[A-Z_]+=\S+ )*transom ([a-z][^`]*)`", path.read_text()):
        words = line.split()
        assert f"transom {words[0]}" in COMMANDS or f"transom {' '.join(words[:2])}" in COMMANDS, line


def test_every_module_of_the_tree_in_the_architecture_page_exists() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    folder = ROOT
    for indent, name in re.findall(r"^( *)([\w/]+(?:\.py|/))(?= |$)", text, re.MULTILINE):
        if not indent:
            folder = ROOT / name
            assert folder.is_dir(), name
        else:
            assert (folder / name).exists(), f"{folder.name}/{name}"
