"""envguard where modules and functions of POSIX are not: `python without_posix.py VERB ...`.

Not Windows, whose paths and processes differ, too; but what is used at import, or without a question,
is found here. What other libraries took before stays theirs.
"""

import asyncio  # noqa: F401
import multiprocessing  # noqa: F401
import os
import sys

import platformdirs  # noqa: F401
import psutil  # noqa: F401
import requests  # noqa: F401
import rich.console  # noqa: F401

MODULES = ("fcntl", "grp", "pwd", "resource", "termios")
FUNCTIONS = ("fork", "geteuid", "getuid", "killpg", "setsid", "statvfs", "waitid")
FLAGS = ("O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK")

for module in MODULES:
    sys.modules[module] = None
for name in (*FUNCTIONS, *FLAGS):
    delattr(os, name)

if __name__ == "__main__":
    from envguard.cli.main import main

    main()
