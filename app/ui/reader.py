"""The source that is open, beside the conversation: a page of a PDF with the cited words marked, or the text."""

from base64 import b64encode
from functools import partial
from html import escape

import streamlit as st

from app.answers import Citation
from app.shared import shared
from app.sources.opening import can_open, open_file, show_in_folder
from app.sources.sheet import Box, Sheet, Wanted
from app.sources.source import PDF, File, excerpt, quoted_on
from app.talk import Talk
from app.ui.markup import literal_html, literal_markdown
from app.ui.sources import Opened, open_source
from app.ui.thread import show_error
from ingest.errors import ReadError, TransomError
from ingest.library import Library

_REACH = 1
"""Chunks of text on each side of the cited one, at first."""


def cited(talk: Talk, opened: Opened | None) -> Citation | None:
    """The citation whose source is open; None if it is gone."""
    if opened is None or not opened.exchange < len(talk.exchanges):
        return None
    answer = talk.exchanges[opened.exchange].answer
    return answer.citations[opened.citation] if answer and opened.citation < len(answer.citations) else None


def show_reader(talk: Talk, opened: Opened, citation: Citation, library: Library) -> None:
    """The source of a citation, at the cited words; those that other sentences cite there are marked, too."""
    answer = talk.exchanges[opened.exchange].answer
    assert answer
    document = citation.passage.chunk.document_id
    others = [each for each in answer.citations if each.passage.chunk.document_id == document and each is not citation]
    entry = library.catalogue.get(document)
    file = File.of(entry) if entry else None
    with st.container(key="reader", border=True):
        _show_head(citation, file)
        shown = file is not None and file.version and file.media_type == PDF and _show_page(citation, others, file)
        if not shown:
            _show_text(citation, others, library)
        if file is not None:
            _show_ways_out(file)


def _show_head(citation: Citation, file: File | None) -> None:
    chunk = citation.passage.chunk
    with st.container(horizontal=True, vertical_alignment="center", key="reader-head"):
        st.markdown(f"**{literal_markdown(f'[{citation.number}] {chunk.uri}')}**")
        close = st.button("Close", icon=":material/close:", type="tertiary", key="close-source")
    if close:
        open_source(None)
        st.rerun()
    if chunk.headings:
        st.html(literal_html(" > ".join(chunk.headings), name="place"))
    if not citation.verified:
        st.caption(":material/help: Not verified: these words come nearest, but do not hold all the sentence says.")
    if file is None or not file.version:
        st.caption(":material/warning: The file is not there any more. This is what was read from it.")
    elif file.changed:
        st.caption(":material/warning: The file has changed since it was read.")


def _show_page(citation: Citation, others: list[Citation], file: File) -> bool:
    """Whether the page could be shown, with the cited words on it."""
    page = int(st.session_state.get("sheet") or citation.page or 1)
    marked = [citation, *(each for each in others if each.verified)]
    quotes = [quoted[page] for quoted in map(quoted_on, marked) if page in quoted]
    try:
        sheet = shared().sheets.draw(Wanted(str(file.path), page, tuple(quotes)), file.version)
    except ReadError as error:
        show_error(error)
        return False
    _show_turning(sheet)
    st.html(sheet_html(sheet, citation.passage.chunk.uri))
    if page == citation.page and not any(sheet.boxes):
        st.caption("The cited words were not found in the picture of this page. This is what was read:")
        return False
    return True


def sheet_html(sheet: Sheet, name: str) -> str:
    """A page as a picture, with its marks laid over it."""
    picture = b64encode(sheet.picture).decode()
    marks = "".join(f'<i class="transom-mark" style="{_placed(box)}"></i>' for boxes in sheet.boxes for box in boxes)
    alt = escape(f"Page {sheet.page} of {name}", quote=True)
    return f'<div class="transom-sheet"><img alt="{alt}" src="data:image/webp;base64,{picture}">{marks}</div>'


def _placed(box: Box) -> str:
    return f"left:{box.left:.3%};top:{box.top:.3%};width:{box.width:.3%};height:{box.height:.3%}"


def _show_turning(sheet: Sheet) -> None:
    before, behind = sheet.page - 1, sheet.page + 1
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="center", key="turning"):
        _turner("Previous page", ":material/chevron_left:", before, before < 1)
        st.markdown(f"Page {sheet.page} of {sheet.pages}", width="content")
        _turner("Next page", ":material/chevron_right:", behind, behind > sheet.pages)


def _turner(label: str, icon: str, page: int, disabled: bool) -> None:
    turn = partial(_turn, page)
    st.button(label, icon=icon, type="tertiary", key=label, disabled=disabled, on_click=turn)


def _show_text(citation: Citation, others: list[Citation], library: Library) -> None:
    reach = int(st.session_state.get("reach") or _REACH)
    found = excerpt(citation, [each for each in others if each.verified], library, reach)
    if citation.page is not None:
        st.caption(f"Text of page {citation.page}" + (" and around it" if reach else ""))
    with st.container(height=480, key="text"):
        st.html(literal_html(found.text, found.marks, name="passage"))
    if not (found.begins and found.ends):
        st.button("Show more of it", key="more", type="tertiary", on_click=_widen, args=(reach * 3,))


def _show_ways_out(file: File) -> None:
    if not shared().local:
        return  # it would open on the machine of the chat, not on the one of the person
    with st.container(horizontal=True, key="ways-out"):
        opens = can_open(file.path) and st.button("Open file", icon=":material/open_in_new:", key="open-file")
        shows = st.button("Show in folder", icon=":material/folder_open:", key="show-folder")
    try:
        if opens:
            open_file(file.path)
        if shows:
            show_in_folder(file.path)
    except TransomError as error:
        show_error(error)


def _turn(page: int) -> None:
    st.session_state["sheet"] = page


def _widen(reach: int) -> None:
    st.session_state["reach"] = reach
