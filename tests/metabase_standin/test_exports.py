"""Downloads: what is in the files, and what is there instead when a query fails."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
ODD = "select 'a,\"b\"' as text, 1.5 as number, null as empty, '<&>' as marks, '=1+1' as formula"
NATIVE = {"database": 1, "type": "native", "native": {"query": ODD}}


def sheet(content: bytes) -> list[list[str | None]]:
    """The cells of a workbook's first sheet."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            ElementTree.fromstring(archive.read(name))  # noqa: S314 - our own file
        assert {"[Content_Types].xml", "_rels/.rels", "xl/workbook.xml", "xl/styles.xml"} <= set(archive.namelist())
        root = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - our own file
    return [[_text(cell) for cell in row] for row in root.iter(f"{SHEET}row")]


def _text(cell: Any) -> str | None:
    found = cell.find(f"{SHEET}v")
    return found.text if found is not None else next((t.text for t in cell.iter(f"{SHEET}t")), None)


def test_csv_is_a_file_with_a_header(admin: Any) -> None:
    answer = admin.post("/api/card/2/query/csv")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].startswith('attachment; filename="revenue_by_category_')
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows[0] == ["Category", "Revenue"]
    shown = admin.post("/api/card/2/query").json()["data"]["rows"]
    assert [[name, float(value)] for name, value in rows[1:]] == shown


def test_without_titles_of_its_own_a_file_has_the_columns_names(admin: Any) -> None:
    card = admin.get("/api/card/2").json()
    assert card["visualization_settings"]["column_settings"]['["name","sum"]'] == {"column_title": "Revenue"}
    admin.put("/api/card/2", json={"visualization_settings": {}})
    assert admin.post("/api/card/2/query/csv").text.startswith("Product → Category,Sum of Total\n")


def test_json_is_a_list_of_objects(admin: Any) -> None:
    answer = admin.post("/api/card/4/query/json")
    assert answer.headers["content-type"].startswith("application/json")
    found = json.loads(answer.text)
    assert len(found) == 10
    assert set(found[0]) == {"product", "category", "sold", "revenue"}
    empty = {"database": 1, "type": "native", "native": {"query": "select 1 as a where 0"}}
    assert json.loads(admin.post("/api/dataset/json", json={"query": empty}).text) == []


def test_xlsx_is_a_workbook(admin: Any) -> None:
    answer = admin.post("/api/card/4/query/xlsx")
    assert answer.headers["content-type"].endswith("spreadsheetml.sheet")
    rows = sheet(answer.content)
    assert rows[0] == ["product", "category", "sold", "revenue"]
    shown = admin.post("/api/card/4/query").json()["data"]["rows"]
    assert [[p, c, int(s or 0), float(r or 0)] for p, c, s, r in rows[1:]] == shown


def test_odd_values_survive_every_format(admin: Any) -> None:
    files = {kind: admin.post(f"/api/dataset/{kind}", json={"query": NATIVE}) for kind in ("csv", "json", "xlsx")}
    assert list(csv.reader(io.StringIO(files["csv"].text)))[1] == ['a,"b"', "1.5", "", "<&>", "=1+1"]
    assert files["json"].json() == [{"text": 'a,"b"', "number": 1.5, "empty": None, "marks": "<&>", "formula": "=1+1"}]
    assert sheet(files["xlsx"].content)[1] == ['a,"b"', "1.5", None, "<&>", "=1+1"]


def test_a_form_and_a_text_of_json_are_bodies_too(admin: Any) -> None:
    form = urlencode({"query": json.dumps(NATIVE), "format_rows": "false"})
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answers = [
        admin.post("/api/dataset/csv", content=form, headers=headers),
        admin.post("/api/dataset/csv", json={"query": json.dumps(NATIVE)}),
        admin.post("/api/dataset/csv", json={"query": NATIVE}),
    ]
    assert {a.status_code for a in answers} == {200}
    assert len({a.text for a in answers}) == 1
    broken = admin.post("/api/dataset/csv", content="query=%7B", headers=headers)
    assert (broken.status_code, broken.json()["errors"]) == (400, {"query": "value must be JSON."})


def test_a_dashboards_question_is_exported_with_its_filter(admin: Any) -> None:
    path = "/api/dashboard/1/dashcard/2/card/2/query/csv"
    key = admin.get("/api/dashboard/1").json()["parameters"][0]["id"]
    form = urlencode({"parameters": json.dumps([{"id": key, "value": ["Gizmo"]}])})
    answer = admin.post(path, content=form, headers={"content-type": "application/x-www-form-urlencoded"})
    assert [row[0] for row in csv.reader(io.StringIO(answer.text))][1:] == ["Gizmo"]


def test_files_hold_more_rows_than_answers(admin: Any) -> None:
    many = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 2500) select i from n"
    query = {"database": 1, "type": "native", "native": {"query": many}}
    assert len(admin.post("/api/dataset/csv", json={"query": query}).text.splitlines()) == 2501
    assert len(sheet(admin.post("/api/dataset/xlsx", json={"query": query}).content)) == 2501


@pytest.mark.parametrize("kind", ["csv", "json", "xlsx"])
def test_a_failed_export_is_an_error_document(admin: Any, kind: str) -> None:
    query = {"database": 1, "type": "native", "native": {"query": "select * from nowhere"}}
    answer = admin.post(f"/api/dataset/{kind}", json={"query": query})
    found = json.loads(answer.text)
    assert (found["status"], "nowhere" in found["error"]) == ("failed", True)


@pytest.mark.parametrize("kind", ["pdf", "csv2", "CSV"])
def test_an_unknown_format_is_no_endpoint(admin: Any, kind: str) -> None:
    answer = admin.post(f"/api/card/1/query/{kind}")
    assert (answer.status_code, answer.text) == (404, "API endpoint does not exist.")
