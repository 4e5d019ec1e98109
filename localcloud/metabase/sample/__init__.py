"""What a first boot brings: the sample database and the sample content."""
