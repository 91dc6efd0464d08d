"""Where notebooks are, and where they run."""
