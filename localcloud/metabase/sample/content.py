"""The sample content that a first boot makes, as `MB_LOAD_SAMPLE_CONTENT` would: fixed numbers and entity ids."""

from __future__ import annotations

from typing import Any

from .. import documents
from ..blank import new_card, new_dashboard
from ..instance import Instance
from ..permissions import ALL_USERS, DATABASE_ID, TRASH
from .tables import ORDERS, PEOPLE, PRODUCTS, Table, field_id

SALES, PRODUCT, LEADERSHIP = 3, 4, 5
_COLLECTIONS = (
    (SALES, "Sales", "XbVt2mQ7sLw0PzRk9aYcE"),
    (PRODUCT, "Product", "h4JcN8uTqWf6GdLx1oKsB"),
    (LEADERSHIP, "Leadership", "rM5ZyE3nCvA9iHbU0pXqS"),
)
CATEGORY_PARAMETER = "c7b1a2d4"


def _field(table: Table, name: str, **options: Any) -> list[Any]:
    return ["field", field_id(table, name), options or None]


def _through(key: str, table: Table, name: str) -> list[Any]:
    return _field(table, name, **{"source-field": field_id(ORDERS, key)})


def _orders(**query: Any) -> dict[str, Any]:
    inner = {"source-table": ORDERS.id, **{name.replace("_", "-"): value for name, value in query.items()}}
    return {"database": DATABASE_ID, "type": "query", "query": inner}


def _native(sql: str) -> dict[str, Any]:
    return {"database": DATABASE_ID, "type": "native", "native": {"query": sql, "template-tags": {}}}


_MONTH = _field(ORDERS, "created_at", **{"temporal-unit": "month"})
_REVENUE = ["sum", _field(ORDERS, "total")]
_CATEGORY = _through("product_id", PRODUCTS, "category")
_BEST = (
    "SELECT p.title AS product, p.category, sum(o.quantity) AS sold, round(sum(o.total), 2) AS revenue\n"
    "FROM orders o JOIN products p ON p.id = o.product_id\nGROUP BY p.id ORDER BY sold DESC LIMIT 10"
)
_TITLES = {
    1: {"created_at": "Month", "sum": "Revenue"},
    2: {"category": "Category", "sum": "Revenue"},
    3: {"source": "Source", "count": "Orders"},
    5: {"sum": "Revenue"},
    6: {"state": "State", "sum": "Revenue"},
    7: {"created_at": "Month", "count": "Orders"},
}
_Spec = tuple[int, str, str, int, str, str, dict[str, Any]]
_CARDS: tuple[_Spec, ...] = (
    (
        1,
        "Revenue by month",
        "What the orders of each month came to, tax included.",
        SALES,
        "line",
        "vQ2dK7fWmT0sYxJ4nRbLc",
        _orders(aggregation=[_REVENUE], breakout=[_MONTH]),
    ),
    (
        2,
        "Revenue by category",
        "Which kinds of products bring the money in.",
        SALES,
        "bar",
        "B8hXzP5uNgE1rVaQ6kCoD",
        _orders(aggregation=[_REVENUE], breakout=[_CATEGORY], order_by=[["desc", ["aggregation", 0]]]),
    ),
    (
        3,
        "Orders by source",
        "Where the people who order come from.",
        PRODUCT,
        "pie",
        "t3GyLw9cJiS7fMnU2eZpA",
        _orders(
            aggregation=[["count"]],
            breakout=[_through("user_id", PEOPLE, "source")],
            order_by=[["desc", ["aggregation", 0]]],
        ),
    ),
    (4, "Best products", "The ten most sold.", PRODUCT, "table", "k6RqHb0TxWdV8sYoC4mNu", _native(_BEST)),
    (
        5,
        "Total revenue",
        "Since the first order.",
        LEADERSHIP,
        "scalar",
        "Z1aEfJ7pLgKv5iQwS9zXr",
        _orders(aggregation=[_REVENUE]),
    ),
    (
        6,
        "Revenue by state",
        "Where the orders go.",
        LEADERSHIP,
        "bar",
        "n0UcMy4hBtO2dGxR8lWjP",
        _orders(
            aggregation=[_REVENUE],
            breakout=[_through("user_id", PEOPLE, "state")],
            order_by=[["desc", ["aggregation", 0]]],
        ),
    ),
    (
        7,
        "Orders by month",
        "How many orders each month had.",
        SALES,
        "bar",
        "e5SkVq9oDzF3uAiJ7wTbH",
        _orders(aggregation=[["count"]], breakout=[_MONTH]),
    ),
)
_DASHBOARDS = (
    (1, "Sales overview", "Revenue over time and by category.", SALES, "pW4xTn8LrYbK0jVcE6sGz", (1, 2)),
    (2, "Product health", "What sells, and to whom.", PRODUCT, "Q7mHdA2fUoXi9eRtC5yNv", (3, 4)),
    (3, "Board numbers", "The figures for the board.", LEADERSHIP, "J3kZsB6gLwPq1aFhM0uDx", (5, 6)),
)


def load_sample_content(instance: Instance, creator_id: int) -> None:
    """Trash is collection 1, the first person's own is 2; then what the sample brings."""
    store, now = instance.store, instance.timestamp()
    sql = "INSERT INTO collection (id, name, slug, entity_id, type, created_at) VALUES (?, ?, ?, ?, ?, ?)"
    with store.change():
        store.run(sql, 1, "Trash", "trash", "trashtrashtrashtrash1", TRASH, now)
        personal_collection(instance, creator_id)
        for number, name, entity_id in _COLLECTIONS:
            store.run(sql, number, name, name.lower(), entity_id, None, now)
            # Permissions of a new collection are those of the root collection, where All Users starts wide.
            store.run("INSERT INTO collection_permission VALUES (?, ?, 'write')", ALL_USERS, str(number))
        for spec in _CARDS:
            documents.save(store, "card", _card(spec, creator_id, now))
        for number, name, description, collection, entity_id, cards in _DASHBOARDS:
            body = _dashboard(number, name, description, creator_id, now)
            body |= {"entity_id": entity_id, "collection_id": collection}
            body["dashcards"] = [_dashcard(store.step("dashcard"), number, i, card) for i, card in enumerate(cards)]
            if number == 1:
                body["parameters"] = [_category_parameter()]
            documents.save(store, "dashboard", body)


def personal_collection(instance: Instance, user_id: int) -> int:
    """The id of a person's own collection, made where it is missing."""
    store = instance.store
    with store.change():
        found = store.row("SELECT id FROM collection WHERE personal_owner_id = ?", user_id)
        if found:
            return int(found["id"])
        user = store.row("SELECT first_name, last_name, email FROM user WHERE id = ?", user_id) or {}
        name = " ".join(filter(None, (user.get("first_name"), user.get("last_name")))) or user.get("email", "")
        slug = "_".join(f"{name} personal collection".lower().split())
        sql = "INSERT INTO collection (name, slug, entity_id, personal_owner_id, created_at) VALUES (?, ?, ?, ?, ?)"
        title = f"{name}'s Personal Collection"
        return store.run(sql, title, slug, documents.new_entity_id(), user_id, instance.timestamp())


def _card(spec: _Spec, creator_id: int, now: str) -> dict[str, Any]:
    number, name, description, collection, display, entity_id, query = spec
    return {
        **new_card(creator_id, now),
        "id": number,
        "name": name,
        "description": description,
        "display": display,
        "collection_id": collection,
        "entity_id": entity_id,
        "dataset_query": query,
        "query_type": query["type"],
        "table_id": query.get("query", {}).get("source-table"),
        "visualization_settings": _settings(number),
    }


def _settings(number: int) -> dict[str, Any]:
    titles = _TITLES.get(number, {})
    return {"column_settings": {f'["name","{name}"]': {"column_title": title} for name, title in titles.items()}}


def _dashboard(number: int, name: str, description: str, creator_id: int, now: str) -> dict[str, Any]:
    return {**new_dashboard(creator_id, now), "id": number, "name": name, "description": description}


def _dashcard(number: int, dashboard: int, index: int, card: int) -> dict[str, Any]:
    mapping = {"parameter_id": CATEGORY_PARAMETER, "card_id": card, "target": ["dimension", _CATEGORY]}
    return {
        "id": number,
        "dashboard_id": dashboard,
        "card_id": card,
        "dashboard_tab_id": None,
        "action_id": None,
        "row": 0,
        "col": 12 * index,
        "size_x": 12,
        "size_y": 7,
        "parameter_mappings": [mapping] if dashboard == 1 else [],
        "visualization_settings": {},
        "series": [],
        "entity_id": f"dashcard-{number:012d}",
    }


def _category_parameter() -> dict[str, Any]:
    return {
        "id": CATEGORY_PARAMETER,
        "name": "Category",
        "slug": "category",
        "type": "string/=",
        "sectionId": "string",
        "values_query_type": "list",
    }
