"""The edges: solver, pip, prefixes, processes, drivers, files."""
