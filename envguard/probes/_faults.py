"""What a fatal signal does in a process that envguard watches: Python's stacks, then time for a look at it.

Loaded by path, into probes and into Jupyter kernels. Python 3.8 and later, the standard library alone.
"""

import faulthandler
import os
import signal
import sys

FATAL = (signal.SIGSEGV, signal.SIGFPE, signal.SIGABRT, signal.SIGBUS, signal.SIGILL)
SIGNAL_STACK_BYTES = 131072
NATIVE = sys.platform.startswith("linux") and os.uname().machine == "x86_64"


def watch(fd):
    """Write what faulthandler says to `fd`, and wait for the parent's look where that is possible."""
    os.set_inheritable(fd, False)
    if NATIVE:
        _set_fatal("sleep")
    faulthandler.enable(file=fd, all_threads=True)
    if NATIVE:
        _widen_signal_stack()
    # last, because it tells the parent that the rest is in place
    if hasattr(faulthandler, "register"):  # not on Windows
        faulthandler.register(signal.SIGUSR2, file=fd, all_threads=True, chain=False)


def let_children_die(fd):
    """Nobody looks into a forked child: it dies at once, after faulthandler."""
    if NATIVE:
        faulthandler.disable()
        _set_fatal(None)
        faulthandler.enable(file=fd, all_threads=True)


def _set_fatal(function):
    """What the C library does on a fatal signal, once faulthandler has written; None = the default.

    `sleep` takes the number of the signal as its seconds: long enough for the parent to read memory map and
    stack of the process. Then the parent sends the signal again, and as sysv_signal hands a signal over only
    once, and does not block it, that one kills. No code of Python's or ours runs in the handler.
    """
    try:
        import ctypes

        libc = ctypes.CDLL(None)
        set_signal = libc.sysv_signal
    except (ImportError, OSError, AttributeError):
        return  # no libffi, or another C library than glibc: faulthandler alone
    handler = ctypes.cast(getattr(libc, function), ctypes.c_void_p) if function else None
    set_signal.restype = ctypes.c_void_p
    set_signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
    for number in FATAL:
        set_signal(int(number), handler)


def _widen_signal_stack():
    """Room for a handler within a handler: faulthandler's is too small beside AVX-512 on old Pythons."""
    try:
        import ctypes
    except ImportError:
        return

    class Stack(ctypes.Structure):
        _fields_ = [("sp", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]

    memory = ctypes.create_string_buffer(SIGNAL_STACK_BYTES)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(memory))  # for good: a crash at exit needs it
    stack = Stack(ctypes.addressof(memory), 0, SIGNAL_STACK_BYTES)
    ctypes.CDLL(None).sigaltstack(ctypes.byref(stack), None)
