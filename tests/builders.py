"""Documents, chunks and passages for tests, with only what matters spelled out."""

from ingest.documents import Chunk, Document, Heading, Page, Passage, Span, chunk_id


def document(
    *texts: str,
    headings: tuple[Heading, ...] = (),
    paged: bool = True,
    media_type: str = "application/pdf",
    uri: str = "report.pdf",
) -> Document:
    pages = tuple(Page(number, text) for number, text in enumerate(texts, 1))
    return Document("doc", uri, "Report", media_type, "0" * 64, pages, headings, paged)


def chunk(
    text: str,
    *,
    uri: str = "report.pdf",
    start: int = 0,
    pages: tuple[int, ...] = (),
    page_starts: tuple[int, ...] = (),
    headings: tuple[str, ...] = (),
    document_id: str = "doc",
) -> Chunk:
    span: Span = (start, start + len(text))
    return Chunk(
        id=chunk_id(document_id, span, text),
        collection="documents",
        document_id=document_id,
        uri=uri,
        title="Report",
        ordinal=0,
        text=text,
        headings=headings,
        pages=pages,
        span=span,
        tokens=len(text.split()),
        page_starts=page_starts or tuple(0 for _ in pages[:1]),
    )


def passage(text: str, *, score: float = 1.0, dense: float = 0.8, **place: object) -> Passage:
    return Passage(chunk(text, **place), score, 0, dense, 1.0)  # type: ignore[arg-type]
