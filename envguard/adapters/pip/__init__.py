"""Speaks to uv in pip's words."""
