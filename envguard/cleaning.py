"""Installed records and what was asked, to a publishable environment; pure."""
