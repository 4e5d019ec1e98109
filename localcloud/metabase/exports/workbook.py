"""The smallest Office Open XML workbook (ECMA-376) that spreadsheets open without a complaint."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any
from xml.sax.saxutils import escape

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font/><font><b/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="2"><xf xfId="0"/><xf fontId="1" applyFont="1" xfId="0"/></cellXfs></styleSheet>'
)


def _part(name: str, kind: str) -> str:
    return f'<Override PartName="{name}" ContentType="{_TYPE}.{kind}+xml"/>'


def _relation(number: int, kind: str, target: str) -> str:
    return f'<Relationship Id="rId{number}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'


_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f"{_part('/xl/workbook.xml', 'sheet.main')}{_part('/xl/worksheets/sheet1.xml', 'worksheet')}"
    f"{_part('/xl/styles.xml', 'styles')}</Types>",
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f"{_relation(1, 'officeDocument', 'xl/workbook.xml')}</Relationships>",
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>'
    '<sheet name="Query result" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f"{_relation(1, 'worksheet', 'worksheets/sheet1.xml')}{_relation(2, 'styles', 'styles.xml')}</Relationships>",
    "xl/styles.xml": _STYLES,
}


class Workbook:
    """One sheet with a bold header."""

    def __init__(self, header: list[str]) -> None:
        self._rows: list[str] = []
        self._append(list(header), style=1)

    def add(self, rows: list[list[Any]]) -> None:
        """Some rows."""
        for row in rows:
            self._append(row)

    def bytes(self) -> bytes:
        """The file."""
        sheet = f'<worksheet xmlns="{_MAIN}"><sheetData>{"".join(self._rows)}</sheetData></worksheet>'
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in {**_PARTS, "xl/worksheets/sheet1.xml": sheet}.items():
                archive.writestr(name, _HEAD + text)
        return out.getvalue()

    def _append(self, row: list[Any], style: int = 0) -> None:
        number = len(self._rows) + 1
        cells = "".join(_cell(value, f"{_letters(i)}{number}", style) for i, value in enumerate(row))
        self._rows.append(f'<row r="{number}">{cells}</row>')


def _letters(index: int) -> str:
    """0 is A, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _cell(value: Any, place: str, style: int) -> str:
    look = f' s="{style}"' if style else ""
    if value is None:
        return f'<c r="{place}"{look}/>'
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f'<c r="{place}"{look}><v>{value}</v></c>'
    text = escape(_NOT_XML.sub("", str(value)))
    return f'<c r="{place}"{look} t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
