"""The application database's tables. A file of another version is refused, never changed."""

from __future__ import annotations

VERSION = 1

SCHEMA = """
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE user (
  id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT UNIQUE COLLATE NOCASE NOT NULL, first_name TEXT, last_name TEXT,
  password TEXT, is_superuser INTEGER NOT NULL DEFAULT 0, is_active INTEGER NOT NULL DEFAULT 1,
  type TEXT NOT NULL DEFAULT 'personal', date_joined TEXT NOT NULL, last_login TEXT, locale TEXT,
  login_attributes TEXT);
CREATE TABLE session (
  key_hash TEXT PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES user, created_at REAL NOT NULL, anti_csrf_token TEXT);
CREATE TABLE api_key (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE NOT NULL, user_id INTEGER NOT NULL REFERENCES user,
  key_hash TEXT NOT NULL, key_prefix TEXT UNIQUE NOT NULL, masked_key TEXT NOT NULL, created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL, updated_by_id INTEGER);
CREATE TABLE permissions_group (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE COLLATE NOCASE NOT NULL, magic_group_type TEXT,
  entity_id TEXT NOT NULL);
CREATE TABLE membership (
  id INTEGER PRIMARY KEY AUTOINCREMENT, group_id INTEGER NOT NULL REFERENCES permissions_group ON DELETE CASCADE,
  user_id INTEGER NOT NULL REFERENCES user, UNIQUE (group_id, user_id));
CREATE TABLE collection (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, slug TEXT NOT NULL, description TEXT,
  location TEXT NOT NULL DEFAULT '/', entity_id TEXT UNIQUE, type TEXT,
  personal_owner_id INTEGER UNIQUE REFERENCES user, archived INTEGER NOT NULL DEFAULT 0, created_at TEXT NOT NULL);
CREATE TABLE collection_permission (
  group_id INTEGER NOT NULL REFERENCES permissions_group ON DELETE CASCADE, collection TEXT NOT NULL,
  level TEXT NOT NULL, PRIMARY KEY (group_id, collection));
CREATE TABLE data_permission (
  group_id INTEGER NOT NULL REFERENCES permissions_group ON DELETE CASCADE, database_id INTEGER NOT NULL,
  create_queries TEXT NOT NULL, PRIMARY KEY (group_id, database_id));
CREATE TABLE card (
  id INTEGER PRIMARY KEY AUTOINCREMENT, entity_id TEXT UNIQUE NOT NULL, collection_id INTEGER REFERENCES collection,
  archived INTEGER NOT NULL DEFAULT 0, body TEXT NOT NULL);
CREATE TABLE dashboard (
  id INTEGER PRIMARY KEY AUTOINCREMENT, entity_id TEXT UNIQUE NOT NULL, collection_id INTEGER REFERENCES collection,
  archived INTEGER NOT NULL DEFAULT 0, body TEXT NOT NULL);
CREATE TABLE bookmark (
  id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER NOT NULL, model TEXT NOT NULL, item_id INTEGER NOT NULL,
  created_at TEXT NOT NULL, UNIQUE (user_id, model, item_id));
CREATE TABLE viewed (
  user_id INTEGER NOT NULL, model TEXT NOT NULL, item_id INTEGER NOT NULL, times INTEGER NOT NULL, at TEXT NOT NULL,
  PRIMARY KEY (user_id, model, item_id));
"""
