"""The action catalogue: what a rule can allow or deny, and which kinds of resource each action is about.

An action without kinds is about the person or the installation, and a rule that allows it needs no `on`.
"""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("dashboard", "question", "collection", "database")
"""Kinds of resource that a rule can list, as the decision table spells them; policies use the plural."""

PLURALS = {f"{kind}s": kind for kind in KINDS}
"""How `on` in the policies spells a kind."""

ADHOC = "query:adhoc"
NATIVE = "query:native"
"""What `query:adhoc` becomes when the request's body holds native SQL."""


@dataclass(frozen=True)
class Action:
    """One thing that can be allowed: its name, the kinds that it is about, and what it means."""

    name: str
    kinds: tuple[str, ...]
    doc: str


_ALL = (
    Action("app:use", (), "open Metabase itself: its scripts, boot calls, home page, own account, own bookmarks"),
    Action("search:use", (), "search; Metabase lists only what the role's group can see"),
    Action("dashboard:view", ("dashboard",), "open a dashboard, run its cards and use its filters"),
    Action("dashboard:edit", ("dashboard",), "change, copy, move or delete a dashboard, and see its history"),
    Action("dashboard:create", (), "make a new dashboard"),
    Action("question:run", ("question",), "open a saved question, model or metric and run it"),
    Action("question:edit", ("question",), "change, copy, move or delete a question, and see its history"),
    Action("question:create", (), "save a new question; Metabase judges its query by the group's data permissions"),
    Action("results:export", ("dashboard", "question", "database"), "download results as CSV, XLSX or JSON"),
    Action(ADHOC, ("database",), "run queries of one's own made with the query builder"),
    Action(NATIVE, ("database",), "run native SQL"),
    Action("data:browse", ("database",), "see databases, tables, fields and the values that filters offer"),
    Action("data:upload", (), "upload CSV files into a database"),
    Action("xray:view", (), "automatic exploration of tables and questions, which runs queries of its own"),
    Action("collection:browse", ("collection",), "list a collection's content"),
    Action("collection:edit", ("collection",), "rename, move or archive a collection"),
    Action("collection:create", (), "make a new collection"),
    Action("document:view", (), "open documents and their comments"),
    Action("document:edit", (), "write documents and comments"),
    Action("timeline:view", (), "see timelines and events"),
    Action("timeline:edit", (), "change timelines and events"),
    Action("snippet:view", (), "read SQL snippets, segments, measures and the glossary"),
    Action("snippet:edit", (), "change SQL snippets, segments, measures and the glossary"),
    Action("action:execute", (), "run write-back actions on a database"),
    Action("action:edit", (), "make and change write-back actions"),
    Action("ai:use", (), "Metabot and the other assistants, which send data to a model's provider"),
    Action("admin:people", (), "people, their groups and passwords"),
    Action("admin:permissions", (), "groups' rights to data and collections, row rules, impersonation"),
    Action("admin:settings", (), "Metabase's settings, e-mail, Slack, sign-in, localisation, channels"),
    Action("admin:databases", (), "connect, change, synchronise and disconnect databases"),
    Action("admin:data-model", (), "tables' and fields' meaning, transforms, the library"),
    Action("admin:monitoring", (), "logs, tasks, usage, diagnostics"),
    Action("admin:performance", (), "caching, persisted models, search indexes"),
    Action("admin:embedding", (), "public links and embedding, which open content to people without a sign-in"),
    Action("admin:content", (), "moderation, trash, serialisation and remote synchronisation"),
)

ACTIONS: dict[str, Action] = {action.name: action for action in _ALL}
"""Every action by name."""
