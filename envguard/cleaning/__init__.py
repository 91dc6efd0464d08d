"""Installed records and what was asked, or a file that somebody wrote, to a publishable environment; pure."""

from envguard.cleaning.file import clean_file
from envguard.cleaning.installed import clean_installed
from envguard.cleaning.lock import clean_lock

__all__ = ["clean_file", "clean_installed", "clean_lock"]
