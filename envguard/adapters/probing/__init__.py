"""Runs probes in processes of their own and tells how they ended."""
