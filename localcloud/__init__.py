"""The world on one machine: evidence for mbgate, separate from it."""
