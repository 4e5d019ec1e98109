"""One Pulumi component a file: frozen inputs, named outputs, every child parented."""
