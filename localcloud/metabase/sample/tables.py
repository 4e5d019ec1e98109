"""The sample database's tables and fields, with the numbers that the API knows them by."""

from __future__ import annotations

from dataclasses import dataclass

INTEGER, FLOAT, TEXT, TIME = "type/Integer", "type/Float", "type/Text", "type/DateTime"
PRIMARY_KEY, FOREIGN_KEY, CATEGORY = "type/PK", "type/FK", "type/Category"
SQL_TYPES = {INTEGER: "INTEGER", FLOAT: "REAL", TEXT: "TEXT", TIME: "TEXT"}


@dataclass(frozen=True, kw_only=True)
class Field:
    """One column."""

    id: int
    table_id: int
    name: str
    display_name: str
    base_type: str
    semantic_type: str | None
    position: int
    target_id: int | None = None
    """the field that a foreign key points to"""


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table."""

    id: int
    name: str
    display_name: str
    singular: str
    description: str
    fields: tuple[Field, ...]


_Spec = tuple[str, str, str | None, int | None]
_ORDERS: tuple[_Spec, ...] = (
    ("id", INTEGER, PRIMARY_KEY, None),
    ("user_id", INTEGER, FOREIGN_KEY, 21),
    ("product_id", INTEGER, FOREIGN_KEY, 41),
    ("subtotal", FLOAT, None, None),
    ("tax", FLOAT, None, None),
    ("total", FLOAT, None, None),
    ("discount", FLOAT, "type/Discount", None),
    ("created_at", TIME, "type/CreationTimestamp", None),
    ("quantity", INTEGER, "type/Quantity", None),
)
_PEOPLE: tuple[_Spec, ...] = (
    ("id", INTEGER, PRIMARY_KEY, None),
    ("name", TEXT, "type/Name", None),
    ("email", TEXT, "type/Email", None),
    ("city", TEXT, "type/City", None),
    ("state", TEXT, "type/State", None),
    ("source", TEXT, "type/Source", None),
    ("created_at", TIME, "type/CreationTimestamp", None),
)
_PRODUCTS: tuple[_Spec, ...] = (
    ("id", INTEGER, PRIMARY_KEY, None),
    ("title", TEXT, "type/Title", None),
    ("category", TEXT, CATEGORY, None),
    ("vendor", TEXT, "type/Company", None),
    ("price", FLOAT, None, None),
    ("rating", FLOAT, "type/Score", None),
    ("created_at", TIME, "type/CreationTimestamp", None),
)


def _table(number: int, name: str, singular: str, first: int, specs: tuple[_Spec, ...], description: str) -> Table:
    fields = tuple(
        Field(
            id=first + i,
            table_id=number,
            name=column,
            display_name="ID" if column == "id" else column.replace("_", " ").title().replace(" Id", " ID"),
            base_type=base,
            semantic_type=semantic,
            position=i,
            target_id=target,
        )
        for i, (column, base, semantic, target) in enumerate(specs)
    )
    title = name.capitalize()
    return Table(id=number, name=name, display_name=title, singular=singular, description=description, fields=fields)


ORDERS = _table(1, "orders", "Order", 1, _ORDERS, "Orders that people placed for products.")
PEOPLE = _table(2, "people", "User", 21, _PEOPLE, "People who placed orders.")
PRODUCTS = _table(3, "products", "Product", 41, _PRODUCTS, "What is sold.")
TABLES = {table.id: table for table in (ORDERS, PEOPLE, PRODUCTS)}
FIELDS = {field.id: field for table in TABLES.values() for field in table.fields}


def field_id(table: Table, name: str) -> int:
    """The number of a column."""
    return next(field.id for field in table.fields if field.name == name)
