"""The finite set of actions, and the kinds of resource that each is about."""

from __future__ import annotations

from typing import Final

KINDS: Final = ("collection", "dashboard", "database", "question")

ACTIONS: Final[dict[str, tuple[str, ...]]] = {
    # Signing in and finding one's way.
    "app:use": (),  # the application itself: its pages, assets, settings that it reads, one's own preferences
    "search:use": (),  # search, recent items, bookmarks
    # Reading.
    "dashboard:view": ("dashboard",),  # a dashboard and the answers of its cards
    "question:run": ("question",),  # a saved question, model or metric, and its answer
    "collection:browse": ("collection",),  # what a collection holds
    "database:browse": ("database",),  # tables and fields
    "results:export": ("dashboard", "database", "question"),  # answers as CSV, XLSX or JSON files
    # Asking anew.
    "query:adhoc": ("database",),  # a question built in the query builder
    "query:native": ("database",),  # a question written in SQL
    # Changing.
    "dashboard:edit": ("dashboard",),
    "question:edit": ("question",),
    "collection:edit": ("collection",),
    "content:create": (),  # new dashboards, questions and collections, where Metabase's own permissions allow
    "subscription:manage": (),  # mail of answers: data leaves by another door
    "admin:use": (),  # people, groups, databases, settings
}


def kinds_of(action: str) -> tuple[str, ...]:
    """The kinds of resource that an action is about; empty for one that is about none."""
    return ACTIONS[action]
