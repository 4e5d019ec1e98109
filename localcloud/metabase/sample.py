"""The sample database and the content that a first boot makes: deterministic, so that tests can name what they see."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path
from typing import Any

from .store import Store

DATABASE_ID = 1
SCHEMA = """
CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, state TEXT, source TEXT);
CREATE TABLE products (id INTEGER PRIMARY KEY, title TEXT, category TEXT, price REAL);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY, created_at TEXT, product_id INTEGER, user_id INTEGER, quantity INTEGER, total REAL);
"""
CATEGORIES = ("Doohickey", "Gadget", "Gizmo", "Widget")
SOURCES = ("Organic", "Affiliate", "Google", "Twitter")
STATES = ("CA", "NY", "TX", "WA", "FL")
ENTITY_IDS = {
    "dashboard": ("dash00000000000000001", "dash00000000000000002", "dash00000000000000003"),
    "collection": ("coll00000000000000003", "coll00000000000000004", "coll00000000000000005"),
}


def make_sample_database(path: Path) -> None:
    """About 2,000 orders over two years, the same on every machine."""
    if path.exists():
        return
    chance = random.Random(42)  # noqa: S311 - sample data
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    db = sqlite3.connect(partial)
    db.executescript(SCHEMA)
    for number in range(1, 201):
        db.execute(
            "INSERT INTO people VALUES (?, ?, ?, ?)",
            (number, f"Person {number}", chance.choice(STATES), chance.choice(SOURCES)),
        )
    for number in range(1, 41):
        category = CATEGORIES[number % 4]
        db.execute(
            "INSERT INTO products VALUES (?, ?, ?, ?)",
            (number, f"{category} {number}", category, round(chance.uniform(5, 120), 2)),
        )
    for number in range(1, 2001):
        month = min(int(chance.triangular(0, 23, 20)), 23)
        day = f"{2025 + month // 12}-{month % 12 + 1:02d}-{chance.randint(1, 28):02d}"
        quantity = chance.randint(1, 6)
        total = round(quantity * chance.uniform(8, 90), 2)
        row = (number, day, chance.randint(1, 40), chance.randint(1, 200), quantity, total)
        db.execute("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?)", row)
    db.commit()
    db.close()
    partial.rename(path)


PRODUCTS = "orders o JOIN products p ON p.id = o.product_id GROUP BY 1"
PEOPLE = "orders o JOIN people u ON u.id = o.user_id GROUP BY 1"
MONTHLY = "SELECT substr(created_at, 1, 7) AS month, {} FROM orders GROUP BY 1 ORDER BY 1"
CARDS = (
    (1, "Revenue by month", "line", 3, MONTHLY.format("round(sum(total), 2) AS revenue")),
    (
        2,
        "Revenue by category",
        "bar",
        3,
        f"SELECT category, round(sum(total), 2) AS revenue FROM {PRODUCTS} ORDER BY 2 DESC",
    ),
    (3, "Orders by source", "pie", 4, f"SELECT source, count(*) AS orders FROM {PEOPLE} ORDER BY 2 DESC"),
    (4, "Best products", "table", 4, f"SELECT title, sum(quantity) AS sold FROM {PRODUCTS} ORDER BY 2 DESC LIMIT 10"),
    (5, "Total revenue", "scalar", 5, "SELECT round(sum(total), 2) AS total FROM orders"),
    (6, "Revenue by state", "bar", 5, f"SELECT state, round(sum(total), 2) AS revenue FROM {PEOPLE} ORDER BY 2 DESC"),
    (7, "Orders by month", "line", 3, MONTHLY.format("count(*) AS orders")),
)
DASHBOARDS = ((1, "Sales overview", 3, (1, 2)), (2, "Product health", 4, (3, 4)), (3, "Board numbers", 5, (5, 6)))


def card_body(number: int, name: str, display: str, collection: int | None, sql: str) -> dict[str, Any]:
    """A native question as `GET /api/card/:id` shows it."""
    return {
        "id": number,
        "name": name,
        "description": None,
        "display": display,
        "type": "question",
        "collection_id": collection,
        "database_id": DATABASE_ID,
        "entity_id": f"card{number:017d}",
        "archived": False,
        "query_type": "native",
        "dataset_query": {"database": DATABASE_ID, "type": "native", "native": {"query": sql}},
        "parameters": [],
        "visualization_settings": {},
    }


def load_sample_content(store: Store) -> None:
    """Collections 3 to 5, cards 1 to 7, dashboards 1 to 3, as a first boot with sample content makes them."""
    with store.change():
        store.run("INSERT INTO collection (id, name, type) VALUES (1, 'Trash', 'trash')")
        store.run(
            "INSERT INTO collection (id, name, personal_owner_id) VALUES (2, 'Administrator''s Personal Collection', 1)"
        )
        for number, name in enumerate(("Sales", "Product", "Leadership"), start=3):
            entity = ENTITY_IDS["collection"][number - 3]
            store.run("INSERT INTO collection (id, name, entity_id) VALUES (?, ?, ?)", number, name, entity)
        for card in CARDS:
            store.put_document("card", card_body(*card))
        for number, name, collection, cards in DASHBOARDS:
            dashcards = [
                {
                    "id": number * 10 + i,
                    "dashboard_id": number,
                    "card_id": card,
                    "row": 0,
                    "col": 12 * i,
                    "size_x": 12,
                    "size_y": 6,
                }
                for i, card in enumerate(cards)
            ]
            body = {
                "id": number,
                "name": name,
                "description": None,
                "collection_id": collection,
                "entity_id": ENTITY_IDS["dashboard"][number - 1],
                "archived": False,
                "parameters": [],
                "tabs": [],
                "enable_embedding": False,
                "dashcards": dashcards,
            }  # fmt: skip
            store.put_document("dashboard", body)
