"""Options that several commands share."""

import click

COLLECTION = click.option(
    "--collection", default="documents", show_default=True, metavar="NAME", help="A named set of documents."
)
ANY_COLLECTION = click.option("--collection", default=None, metavar="NAME", help="Only this one.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs (docs/cli.md).")
