"""What happens in the browser alone: a chip is clicked, an answer is copied, Esc is pressed.

Streamlit has no widget within a text, so the chips are links, and this listens to them. Script of this package only:
it never makes text into elements.
"""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from app.exchange import Exchange

_SCRIPT = Path(__file__).with_name("listener.js").read_text(encoding="utf-8")
_listener = st.components.v2.component("transom_listener", js=_SCRIPT)


def listen(exchanges: Sequence[Exchange]) -> str:
    """Listens on this page; returns the chip that was clicked just now, as "exchange-citation", or nothing."""
    texts = [each.answer.text if each.answer else each.said for each in exchanges]
    result = _listener(key="listener", data={"texts": texts}, height=1, on_opened_change=lambda: None)
    return str(result.get("opened") or "")


def copy_link(position: int) -> None:
    """A link that copies an answer."""
    st.markdown(f"[:material/content_copy: Copy](#copy-{position})")
