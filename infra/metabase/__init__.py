"""Metabase as mbgate manages it: a small API client, and the Pulumi provider of what no other provider has."""
