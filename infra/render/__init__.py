"""From settings and decision table to the modules that are uploaded as a Worker."""
