"""Metabase as mbgate manages it: a small API client and the Pulumi provider of the resources that no other provider has."""
