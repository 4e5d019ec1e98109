"""Guardrails: what no stack may deploy. `rules/` holds one a file; `pack` gives them to Pulumi's engine.

They judge resources by type and inputs, and import nothing of the program that declares these: a fault there can't
hide itself here.
"""
