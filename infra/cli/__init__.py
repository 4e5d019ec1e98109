"""The `mbgate` command: one command a file; this package owns standard output and exit codes."""
