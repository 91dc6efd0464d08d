"""Names of shared objects."""

from __future__ import annotations

import re

LIB_DYNLOAD = "/lib-dynload"
"""Where CPython keeps the extensions of its own library."""
_RUNTIME = re.compile(
    r"^(libc|libm|libpthread|libdl|libstdc\+\+|libgcc_s|ld-linux\S*|libpython\S*|python\S*|linux-vdso"
    r"|libffi|_ctypes)(?=[.-]|$)"
)
"""What runs everybody's code, or ends everybody's process: where it died is seldom who is at fault."""


def is_runtime(path: str) -> bool:
    """Whether a file is the C or C++ library, Python itself, or what calls through to others."""
    folder, _, name = path.rpartition("/")
    return bool(_RUNTIME.match(name)) or folder.endswith(LIB_DYNLOAD)
