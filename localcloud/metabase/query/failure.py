"""A query that can't be answered. Metabase tells so within a 202 answer, not by a status."""

from __future__ import annotations


class QueryFailed(Exception):
    """`error_type` is one of Metabase's: `invalid-query`, `unsupported-feature`, `timed-out`, `missing-required-…`."""

    def __init__(self, message: str, error_type: str = "invalid-query") -> None:
        super().__init__(message)
        self.error_type = error_type


def unknown(what: str) -> QueryFailed:
    """For parts of the query language that the stand-in does not speak."""
    return QueryFailed(f"the Metabase stand-in does not know {what}", "unsupported-feature")
