"""`%load_ext envguard`: the verbs for the kernel's own environment, and who holds memory."""

from __future__ import annotations

import shlex
import subprocess
import sys
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class

from envguard.jupyter.memory import memory_text

MEMORY = "memory"
OWN_ENVIRONMENT = {
    "check": (sys.prefix,),
    "verify": ("--python", sys.executable),
    "machine": (),
}
"""What a verb is asked about where the line names nothing."""


@magics_class
class EnvguardMagics(Magics):
    """`%envguard`."""

    @line_magic
    def envguard(self, line: str) -> None:
        """%envguard check|verify|machine [ARGUMENTS], and %envguard (memory by process and by variable).

        Without arguments the kernel's own environment is meant.
        """
        verb, *arguments = shlex.split(line) or [MEMORY]
        if verb == MEMORY and not arguments:
            assert self.shell is not None
            print(memory_text(dict(self.shell.user_ns)), end="")
        elif verb in OWN_ENVIRONMENT:
            _run([verb, *(arguments or OWN_ENVIRONMENT[verb])])
        else:
            raise UsageError(
                f"%envguard takes {', '.join(OWN_ENVIRONMENT)} or {MEMORY}, not {line!r}"
            )


def _run(arguments: list[str]) -> None:
    """Print what the command says, as it says it. ^C of the cell ends it, too."""
    process = subprocess.Popen(
        [sys.executable, "-m", "envguard", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        for said in process.stdout:
            print(said, end="")
    except BaseException:
        process.terminate()
        raise
    finally:
        process.wait()
        process.stdout.close()


def load(shell: Any) -> None:
    """For `load_ipython_extension`."""
    shell.register_magics(EnvguardMagics)
