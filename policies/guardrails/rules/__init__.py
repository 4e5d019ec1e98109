"""One guardrail a file. Each has `GUARDRAIL`, whose name is the file's."""
