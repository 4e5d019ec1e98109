"""The policies of this deployment (YAML), and the guardrails that judge what is deployed (Python)."""
