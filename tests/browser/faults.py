"""What axe-core finds wrong with a page, for people who see, hear or move otherwise."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_GRAVE = ("serious", "critical")


def faults(page: Page) -> list[str]:
    """The serious ones, each with the places where it is met."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for each in found
        if each["impact"] in _GRAVE
        for node in each["nodes"]
    ]
