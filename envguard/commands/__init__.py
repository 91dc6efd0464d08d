"""One use case a file; ports come in as keyword arguments; each returns a value."""
