"""Judges what is asked for or installed by the rules, without running it."""
