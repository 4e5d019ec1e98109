"""The matrix as one HTML page: no script, nothing from elsewhere; for screens, light and dark, and for A4 paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jinja2

from infra.access.actions import ACTIONS
from infra.access.matrix import Matrix

TEMPLATE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Who may do what in Metabase</title>
<style>
:root { color-scheme: light dark; --ground: #fff; --text: #1b1f24; --quiet: #59636e; --line: #d5dae0; --band: #f3f5f8;
  --yes: #0b6b34; --yes-ground: #e4f6ea; --no: #a4161a; --no-ground: #fdeaea; --held: #7a4b00; --held-ground: #fff3d6; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171b; --text: #e8ebef; --quiet: #9aa5b1; --line: #323941;
  --band: #1f242a; --yes: #7ee2a0; --yes-ground: #12301f; --no: #ff9d9d; --no-ground: #3a1719;
  --held: #ffce73; --held-ground: #33270c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 96rem; padding: 1.5rem; background: var(--ground); color: var(--text);
  font: 0.9375rem/1.4 system-ui, sans-serif; }
h1 { margin: 0 0 0.25rem; font-size: 1.5rem; line-height: 1.2; }
table { border-collapse: separate; border-spacing: 0; width: 100%; }
caption { padding: 0 0 1rem; text-align: left; color: var(--quiet); }
th, td { padding: 0.375rem 0.75rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top;
  overflow-wrap: anywhere; }
thead th { position: sticky; top: 0; z-index: 1; background: var(--ground); border-bottom: 2px solid var(--text);
  vertical-align: bottom; }
th small, td small { display: block; color: var(--quiet); font-weight: 400; font-size: 0.8125rem; }
tbody th { font-weight: 400; }
tbody th.group { background: var(--band); font-weight: 600; font-size: 0.8125rem; padding-block: 0.125rem; }
tbody th.action { width: 22rem; }
tbody th.on { width: 11rem; }
tbody th.action b { font-weight: 600; }
td.allowed { background: var(--yes-ground); color: var(--yes); }
td.held { background: var(--held-ground); color: var(--held); }
td.denied { background: var(--no-ground); color: var(--no); }
td.not-granted { color: var(--quiet); }
td, th[scope="col"] { min-width: 9rem; }
td b, th b { white-space: nowrap; }
code { font: 0.8125rem/1.4 ui-monospace, monospace; }
thead code { display: inline-block; max-width: 100%; }
@media screen and (min-width: 60rem) { tbody th.action { position: sticky; left: 0; background: var(--ground);
  min-width: 16rem; } thead th:first-child { left: 0; z-index: 2; } tbody th.on { min-width: 9rem; } }
@media (max-width: 60rem) { body { padding: 0.75rem; } tbody th.action, tbody th.on { width: auto; }
  th, td { padding: 0.375rem; } }
footer { margin-top: 1rem; color: var(--quiet); }
footer p { margin: 0.25rem 0; overflow-wrap: anywhere; }
@media print {
  @page { size: A4 landscape; margin: 12mm; }
  :root { color-scheme: light; --ground: #fff; --text: #000; --quiet: #444; --line: #bbb; --band: #eee;
    --yes: #0b5c2d; --yes-ground: #e4f6ea; --no: #8f1115; --no-ground: #fdeaea;
    --held: #6b4200; --held-ground: #fff3d6; }
  body { max-width: none; padding: 0; font-size: 8.5pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  thead { display: table-header-group; }
  thead th { position: static; }
  th, td { padding: 1.5pt 5pt; }
  th small, td small, code, tbody th.group { font-size: 7.5pt; }
  tbody th.action { width: 17rem; }
  td, th[scope="col"] { min-width: 0; }
  tr { break-inside: avoid; }
  tr.group { break-after: avoid; }
}
</style>
</head>
<body>
<main>
<h1>Who may do what in Metabase</h1>
<table>
<caption>{{ matrix.roles|length }} role{{ "" if matrix.roles|length == 1 else "s" }}, {{ count }} actions.
A cell says what the gateway decides, and by which rule;
what no rule allows isn't granted, and a deny rule wins over every allow rule.
A person has the one role that their claims match.</caption>
<thead>
<tr>
<th scope="col">Action</th>
<th scope="col">On</th>
{%- for role in matrix.roles %}
<th scope="col">{{ role }}
{%- for way in ways[role] %}
<small>{{ "or " if not loop.first }}from {{ way.issuer }} with
{%- for claim, value in way.claims|dictsort %}{{ " and" if not loop.first }} {{ claim }} <code>{{ value }}</code>
{%- endfor %}</small>
{%- endfor %}</th>
{%- endfor %}
</tr>
</thead>
{%- for prefix, rows in matrix.groups().items() %}
<tbody>
<tr class="group"><th class="group" scope="rowgroup" colspan="{{ matrix.roles|length + 2 }}">{{ prefix }}</th></tr>
{%- for row in rows %}
<tr>
{%- if loop.first or row.action != loop.previtem.action %}
<th class="action" scope="row" rowspan="{{ rows|selectattr("action", "eq", row.action)|list|length }}">
<b>{{ row.action }}</b>{% if row.action in docs %}<small>{{ docs[row.action] }}</small>{% endif %}</th>
{%- endif %}
<th class="on" scope="row">{{ row.label }}</th>
{%- for cell in row.cells %}
<td class="{{ cell.effect }}">
{%- if cell.effect == "allowed" %}<b>✓ allowed</b>{% elif cell.effect == "denied" %}<b>✗ denied</b>
{%- elif cell.reason == "approval-required" %}<b>? with an approval</b>
{%- elif cell.effect == "held" %}<b>? with locked parameters</b>
{%- else %}not granted{% endif %}
{%- if cell.rule or cell.effect == "denied" %} <code>{{ cell.rule or cell.reason }}</code>{% endif %}
{%- if cell.reason == "resource-not-granted" %}<small>only on others</small>{% endif %}</td>
{%- endfor %}
</tr>
{%- endfor %}
</tbody>
{%- endfor %}
</table>
</main>
<footer>
<p>“No single one” stands for requests that name none, such as lists and pages.</p>
<p>Digest of the decision table: <code>{{ matrix.digest }}</code></p>
</footer>
</body>
</html>
"""


def page(matrix: Matrix, ways: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """The page; `ways` are each role's matches, any of which gives it. Every value is escaped."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    count = len({row.action for row in matrix.rows})
    docs = {name: action.doc for name, action in ACTIONS.items()}
    return environment.from_string(TEMPLATE).render(matrix=matrix, ways=ways, count=count, docs=docs)
