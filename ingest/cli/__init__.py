"""`transom ingest | remove | search | status | collections | index`: the commands that need no language model.

Heavy modules are imported inside the commands, so that `transom --help` is there at once.
"""

from ingest.cli.copying import index
from ingest.cli.documents import ingest, remove
from ingest.cli.listing import BESIDE, collections, status
from ingest.cli.options import COLLECTION, JSON
from ingest.cli.searching import asked, search

__all__ = ["BESIDE", "COLLECTION", "COMMANDS", "JSON", "asked"]

COMMANDS = (ingest, remove, search, status, collections, index)
