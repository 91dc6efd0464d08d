"""Proves a lock or an environment on this machine, and finds out why it does not work."""
