"""A stack's settings file: reading it with its placeholders and secrets, the questions that fill it, and writing it."""
