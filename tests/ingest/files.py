"""Small real files of many formats, made on the spot."""

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from pptx import Presentation
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

_OFFICE = "http://schemas.openxmlformats.org/"
_TYPES = "application/vnd.openxmlformats-officedocument."
_FONT = DictionaryObject(
    {
        NameObject("/Type"): NameObject("/Font"),
        NameObject("/Subtype"): NameObject("/Type1"),
        NameObject("/BaseFont"): NameObject("/Helvetica"),
    }
)


def pdf(*pages: str) -> PdfWriter:
    """A PDF with the lines of each page in Helvetica."""
    writer = PdfWriter()
    for text in pages:
        page = writer.add_blank_page(300, 300)
        fonts = DictionaryObject({NameObject("/F1"): _FONT})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        content = DecodedStreamObject()
        lines = " T* ".join(f"({line}) Tj" for line in text.splitlines())
        content.set_data(f"BT /F1 12 Tf 14 TL 20 270 Td {lines} ET".encode("latin-1"))
        page[NameObject("/Contents")] = writer._add_object(content)
    return writer


def save(writer: PdfWriter, path: Path) -> Path:
    """Writes a PDF."""
    writer.write(path)
    return path


def office(path: Path, main: str, media_type: str, parts: dict[str, str]) -> Path:
    """An Office Open XML file whose first of `parts` is the main one."""
    overrides = f'<Override PartName="/{main}" ContentType="{_TYPES}{media_type}.main+xml"/>'
    root = f'<Relationship Id="r1" Type="{_OFFICE}officeDocument/2006/relationships/officeDocument" Target="{main}"/>'
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{_OFFICE}package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>',
        )
        archive.writestr("_rels/.rels", relationships(root))
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def relationships(inner: str) -> str:
    """A part that lists relationships."""
    return f'<Relationships xmlns="{_OFFICE}package/2006/relationships">{inner}</Relationships>'


def docx(path: Path, body: str) -> Path:
    """A Word file with the given paragraphs."""
    namespace = f'xmlns:w="{_OFFICE}wordprocessingml/2006/main"'
    heading = '<w:style w:type="paragraph" w:styleId="Heading1"><w:name w:val="heading 1"/></w:style>'
    parts = {
        "word/document.xml": f"<w:document {namespace}><w:body>{body}</w:body></w:document>",
        "word/styles.xml": f"<w:styles {namespace}>{heading}</w:styles>",
        "word/_rels/document.xml.rels": relationships(
            f'<Relationship Id="r1" Type="{_OFFICE}officeDocument/2006/relationships/styles" Target="styles.xml"/>'
        ),
    }
    return office(path, "word/document.xml", "wordprocessingml.document", parts)


def paragraph(text: str, style: str = "") -> str:
    """A paragraph of a Word file."""
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f'<w:p>{properties}<w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def xlsx(path: Path, sheets: dict[str, list[list[str]]]) -> Path:
    """A workbook with texts in its cells."""
    relations = [
        f'<Relationship Id="r{n}" Type="{_OFFICE}officeDocument/2006/relationships/worksheet" Target="sheet{n}.xml"/>'
        for n in range(len(sheets))
    ]
    names = [f'<sheet name="{name}" sheetId="{n + 1}" r:id="r{n}"/>' for n, name in enumerate(sheets)]
    main = f'xmlns="{_OFFICE}spreadsheetml/2006/main"'
    parts = {
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{_OFFICE}officeDocument/2006/relationships">'
        f"<sheets>{''.join(names)}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": relationships("".join(relations)),
    }
    for number, rows in enumerate(sheets.values()):
        parts[f"xl/sheet{number}.xml"] = f"<worksheet {main}><sheetData>{_rows(rows)}</sheetData></worksheet>"
    return office(path, "xl/workbook.xml", "spreadsheetml.sheet", parts)


def _rows(rows: list[list[str]]) -> str:
    return "".join(
        f'<row r="{r}">'
        + "".join(f'<c r="{chr(65 + c)}{r}" t="inlineStr"><is><t>{cell}</t></is></c>' for c, cell in enumerate(row))
        + "</row>"
        for r, row in enumerate(rows, 1)
    )


def pptx(path: Path, *slides: tuple[str, str, str]) -> Path:
    """A presentation: title, text and notes of each slide, stored in the reverse of the order they are shown in."""
    presentation = Presentation()
    for title, text, notes in reversed(slides):
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        assert slide.shapes.title is not None
        slide.shapes.title.text = title
        slide.placeholders[1].text = text
        slide.notes_slide.notes_text_frame.text = notes
    order = presentation.slides._sldIdLst
    for entry in list(order):
        order.insert(0, entry)
    presentation.save(str(path))
    return path
