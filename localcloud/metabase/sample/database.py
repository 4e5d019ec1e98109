"""The sample database, made of one seed: the same rows on every machine."""

from __future__ import annotations

import os
import random
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

from .tables import ORDERS, PEOPLE, PRODUCTS, SQL_TYPES, Table

SEED = 42
PEOPLE_COUNT, PRODUCT_COUNT, ORDER_COUNT = 240, 48, 2000
FIRST_DAY = datetime(2024, 10, 1)
DAYS = 730
TAX = 0.07

CATEGORIES = ("Doohickey", "Gadget", "Gizmo", "Widget")
MATERIALS = ("Aluminum", "Bronze", "Concrete", "Copper", "Cotton", "Granite", "Leather", "Linen", "Steel", "Wooden")
THINGS = {
    "Doohickey": ("Bottle", "Clock", "Plate", "Shoes"),
    "Gadget": ("Coat", "Computer", "Keyboard", "Lamp"),
    "Gizmo": ("Bench", "Car", "Table", "Watch"),
    "Widget": ("Gloves", "Hat", "Knife", "Wallet"),
}
VENDORS = ("Aufderhar and Sons", "Corwin Group", "Fadel Brothers", "Hintz Works", "Nolan Trading", "Stroman Supply")
FIRST_NAMES = ("Ada", "Bruno", "Carmen", "Dmitri", "Elin", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Kemi", "Luca")
LAST_NAMES = ("Abbott", "Becker", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Haddad", "Ito", "Jensen", "Khan")
CITIES = (("Austin", "TX"), ("Boston", "MA"), ("Denver", "CO"), ("Miami", "FL"), ("Portland", "OR"), ("Seattle", "WA"))
SOURCES = ("Affiliate", "Facebook", "Google", "Organic", "Twitter")
_SOURCE_WEIGHTS = (14, 17, 26, 31, 12)
_CATEGORY_WEIGHTS = {"Doohickey": 0.8, "Gadget": 1.25, "Gizmo": 1.0, "Widget": 1.35}


def make_sample_database(path: Path) -> None:
    """Writes the file unless it is there; a half-written one never has the name."""
    if path.exists():
        return
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_CREAT | os.O_RDWR, 0o600))
    chance = random.Random(SEED)  # noqa: S311 - sample rows
    db = sqlite3.connect(partial)
    try:
        for table in (PEOPLE, PRODUCTS, ORDERS):
            db.execute(_create(table))
        people, products = _people(chance), _products(chance)
        _insert(db, PEOPLE, people)
        _insert(db, PRODUCTS, products)
        _insert(db, ORDERS, _orders(chance, products))
        db.commit()
    finally:
        db.close()
    partial.rename(path)


def _create(table: Table) -> str:
    columns = ", ".join(
        f"{f.name} {SQL_TYPES[f.base_type]}{' PRIMARY KEY' if f.name == 'id' else ''}" for f in table.fields
    )
    return f"CREATE TABLE {table.name} ({columns})"


def _insert(db: sqlite3.Connection, table: Table, rows: list[tuple[object, ...]]) -> None:
    marks = ", ".join("?" for _ in table.fields)
    db.executemany(f"INSERT INTO {table.name} VALUES ({marks})", rows)  # noqa: S608 - a constant


def _people(chance: random.Random) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for number in range(1, PEOPLE_COUNT + 1):
        first, last = chance.choice(FIRST_NAMES), chance.choice(LAST_NAMES)
        city, state = chance.choice(CITIES)
        source = chance.choices(SOURCES, _SOURCE_WEIGHTS)[0]
        email = f"{first}.{last}.{number}@example.com".lower()
        rows.append((number, f"{first} {last}", email, city, state, source, _moment(chance, 0, DAYS // 2)))
    return rows


def _products(chance: random.Random) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    titles = {category: [f"{m} {t}" for m in MATERIALS for t in things] for category, things in THINGS.items()}
    for number in range(1, PRODUCT_COUNT + 1):
        category = CATEGORIES[number % len(CATEGORIES)]
        title = titles[category].pop(chance.randrange(len(titles[category])))
        price, rating = round(chance.uniform(15, 99), 2), round(chance.uniform(2.5, 5), 1)
        rows.append((number, title, category, chance.choice(VENDORS), price, rating, _moment(chance, 0, 60)))
    return rows


def _orders(chance: random.Random, products: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Growing over two years, strongest at each year's end."""
    weights = [_CATEGORY_WEIGHTS[str(product[2])] for product in products]
    days = [_demand(day) for day in range(DAYS)]
    placed = sorted(chance.choices(range(DAYS), days, k=ORDER_COUNT))
    rows: list[tuple[object, ...]] = []
    for number, day in enumerate(placed, start=1):
        product = chance.choices(products, weights)[0]
        quantity = chance.choices((1, 2, 3, 4, 5, 6), (34, 26, 17, 11, 7, 5))[0]
        subtotal = round(float(str(product[4])) * quantity, 2)
        discount = round(subtotal * chance.choice((0.05, 0.1, 0.15)), 2) if chance.random() < 0.12 else None
        tax = round(subtotal * TAX, 2)
        total = round(subtotal + tax - (discount or 0), 2)
        person = chance.randint(1, PEOPLE_COUNT)
        created = _moment(chance, day, day + 1)
        rows.append((number, person, product[0], subtotal, tax, total, discount, created, quantity))
    return rows


def _demand(day: int) -> float:
    month = (FIRST_DAY + timedelta(days=day)).month
    season = {11: 1.35, 12: 1.6, 1: 0.8, 2: 0.75}.get(month, 1.0)
    return (0.5 + 1.3 * day / DAYS) * season


def _moment(chance: random.Random, first: int, last: int) -> str:
    moment = FIRST_DAY + timedelta(seconds=chance.randint(first * 86400, last * 86400 - 1))
    return moment.isoformat(timespec="seconds")
