"""Makes a channel from the running Python and PyPI."""
