"""Looks at what a death left on this machine."""
