"""JSON Schemas of the policies' files, for editors: completion, hover texts, and the faults of form.

The loader stays the judge: a schema can't see who shares a claim, what a landing page takes, or how a word was quoted.
"""

from __future__ import annotations

import json

from .schema_overlay import overlay_schema
from .schema_roles import roles_schema
from .schema_tests import tests_schema

ROLES_SCHEMA = "schema.json"
OVERLAY_SCHEMA = "environment.schema.json"
TESTS_SCHEMA = "tests.schema.json"


def schemas() -> dict[str, str]:
    """The files' names and texts."""
    made = {ROLES_SCHEMA: roles_schema(), OVERLAY_SCHEMA: overlay_schema(), TESTS_SCHEMA: tests_schema()}
    return {name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in made.items()}
