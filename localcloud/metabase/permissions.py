"""What a person may do: the permissions of their groups added up, as in Metabase's open-source edition."""

from __future__ import annotations

from functools import cached_property

from .answers import forbidden, not_found
from .query.scope import Scope
from .store import Row, Store

ALL_USERS, ADMINISTRATORS = 1, 2
DATABASE_ID = 1
SAVED_QUESTIONS_ID = -1337
"""the virtual database that holds every saved question"""
COLLECTION_LEVELS = ("none", "read", "write")
QUERY_LEVELS = ("no", "query-builder", "query-builder-and-native")
TRASH = "trash"


class Rights:
    """One person's rights, read once a request."""

    def __init__(self, store: Store, user: Row) -> None:
        self._store, self._user = store, user
        self.is_administrator = bool(user["is_superuser"])

    @cached_property
    def groups(self) -> list[int]:
        """The ids of the person's groups."""
        return group_ids(self._store, self._user["id"])

    @cached_property
    def _levels(self) -> dict[str, int]:
        levels: dict[str, int] = {}
        sql = "SELECT p.collection, p.level FROM collection_permission p JOIN membership m ON m.group_id = p.group_id"
        for row in self._store.rows(f"{sql} WHERE m.user_id = ?", self._user["id"]):
            level = COLLECTION_LEVELS.index(row["level"])
            levels[row["collection"]] = max(levels.get(row["collection"], 0), level)
        return levels

    @cached_property
    def _collections(self) -> dict[int, Row]:
        sql = "SELECT id, location, type, personal_owner_id FROM collection"
        return {row["id"]: row for row in self._store.rows(sql)}

    def _owner(self, collection: Row) -> int | None:
        """Whose personal collection this is, or is in."""
        top = [int(part) for part in collection["location"].split("/") if part][:1]
        row = self._collections.get(top[0]) if top else collection
        return row["personal_owner_id"] if row else None

    def can(self, level: str, collection_id: int | None) -> bool:
        """`read` or `write` of a collection; None is the root collection."""
        if collection_id is None:
            return self.is_administrator or self._levels.get("root", 0) >= COLLECTION_LEVELS.index(level)
        collection = self._collections.get(collection_id)
        if collection is None:
            return False
        if collection["type"] == TRASH:
            return level == "read" or self.is_administrator
        owner = self._owner(collection)
        if self.is_administrator or owner == self._user["id"]:
            return True
        return owner is None and self._levels.get(str(collection_id), 0) >= COLLECTION_LEVELS.index(level)

    def require(self, level: str, collection_id: int | None) -> None:
        """403 unless `can`."""
        if not self.can(level, collection_id):
            raise forbidden()

    @cached_property
    def query_level(self) -> str:
        """The strongest `create-queries` on the sample database."""
        if self.is_administrator:
            return QUERY_LEVELS[-1]
        sql = "SELECT create_queries FROM data_permission p JOIN membership m ON m.group_id = p.group_id"
        rows = self._store.rows(f"{sql} WHERE m.user_id = ? AND database_id = ?", self._user["id"], DATABASE_ID)
        return max((row["create_queries"] for row in rows), key=QUERY_LEVELS.index, default="no")

    def require_queries(self, level: str = "query-builder") -> None:
        """403 unless the person may make queries of that level."""
        if QUERY_LEVELS.index(self.query_level) < QUERY_LEVELS.index(level):
            raise forbidden()

    def require_query(self, scope: Scope) -> None:
        """403 unless the person may ask this: native SQL, tables, and saved questions each have their own rule."""
        known = scope.database == DATABASE_ID or (scope.database == SAVED_QUESTIONS_ID and scope.cards)
        if not known:
            raise not_found()
        if scope.native:
            self.require_queries("query-builder-and-native")
        elif scope.tables or not scope.cards:
            self.require_queries()
        self.require_cards(scope.cards)

    def require_cards(self, cards: frozenset[int]) -> None:
        """A question used as a source needs to be readable itself."""
        for number in cards:
            row = self._store.row("SELECT collection_id FROM card WHERE id = ?", number)
            if row is None:
                raise not_found()
            self.require("read", row["collection_id"])


def group_ids(store: Store, user_id: int) -> list[int]:
    """The ids of a user's groups, in order."""
    return [r["group_id"] for r in store.rows("SELECT group_id FROM membership WHERE user_id = ? ORDER BY 1", user_id)]
