"""Probe scripts that end in every way there is, and how each is to be called."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path

from envguard.model.probe import Outcome

MEMORY_BYTES = 256 * 2**20
DATA_BYTES = 1024 * 2**20


@dataclass(frozen=True, slots=True)
class Death:
    """A script's body of main(probe), and its outcome. `words` are in the result's detail."""

    body: str
    outcome: Outcome
    signal: str | None = None
    words: str = ""
    timeout_s: float = 20.0


DEATHS = {
    "passes": Death("probe.value('answer', 42)", Outcome.PASSED),
    "segfault": Death("import ctypes; ctypes.string_at(0)", Outcome.CRASHED, "SIGSEGV"),
    "abort": Death("os.abort()", Outcome.CRASHED, "SIGABRT"),
    "bus error": Death("os.kill(os.getpid(), signal.SIGBUS)", Outcome.CRASHED, "SIGBUS"),
    "killed by somebody": Death(
        "os.kill(os.getpid(), signal.SIGKILL)", Outcome.CRASHED, "SIGKILL", "outside"
    ),
    "crash at interpreter exit": Death(
        "import atexit, ctypes; atexit.register(ctypes.string_at, 0)", Outcome.CRASHED, "SIGSEGV"
    ),
    "hang in Python": Death("time.sleep(600)", Outcome.TIMED_OUT, words="0.6 s", timeout_s=0.6),
    "hang in C with the GIL held": Death(
        "import ctypes; ctypes.PyDLL(None).sleep(600)", Outcome.TIMED_OUT, timeout_s=0.6
    ),
    "hang at exit": Death(
        "import threading; threading.Thread(target=time.sleep, args=(600,)).start()",
        Outcome.TIMED_OUT,
        timeout_s=0.6,
    ),
    "more than it may allocate": Death(
        f"bytearray(2 * {DATA_BYTES})", Outcome.OUT_OF_MEMORY, words="MemoryError"
    ),
    "more than it may use": Death(
        "kept = [bytearray(2**20) for _ in range(400)]; time.sleep(600)",
        Outcome.OUT_OF_MEMORY,
        words="256 MiB",
    ),
    "CUDA out of memory": Death(
        "raise RuntimeError('CUDA out of memory. Tried to allocate 2.00 GiB')",
        Outcome.OUT_OF_MEMORY,
        words="Tried to allocate",
    ),
    "std::bad_alloc": Death(
        "os.write(2, b\"terminate called after throwing an instance of 'std::bad_alloc'\"); os.abort()",
        Outcome.OUT_OF_MEMORY,
        "SIGABRT",
    ),
    "os._exit(0)": Death("os._exit(0)", Outcome.SILENT_EXIT, words="exit code 0"),
    "sys.exit()": Death("sys.exit()", Outcome.SILENT_EXIT, words="exit code 0"),
    "sys.exit(3)": Death("sys.exit(3)", Outcome.SILENT_EXIT, words="exit code 3"),
    "exit code 3 after the end": Death(
        "import atexit; atexit.register(os._exit, 3)", Outcome.SILENT_EXIT, words="exit code 3"
    ),
    "raises": Death("raise ValueError('no good')", Outcome.FAILED, words="ValueError: no good"),
    "syntax error": Death("1 +", Outcome.FAILED, words="SyntaxError"),
    "exception, then a crash on the way out": Death(
        "import atexit; atexit.register(os.abort); raise ValueError('first')",
        Outcome.FAILED,
        "SIGABRT",
        "ValueError: first",
    ),
    "wrong number": Death(
        "probe.judge('float16', 0.5, 1e-3)", Outcome.WRONG_RESULT, words="5.0e-01, allowed 1e-03"
    ),
    "not a number": Death(
        "probe.judge('float16', float('nan'), 1e-3)", Outcome.WRONG_RESULT, words="not a number"
    ),
    "exactly the tolerance": Death("probe.judge('float16', 1e-3, 1e-3)", Outcome.PASSED),
    "garbage on the protocol": Death(
        "os.write(probe._fd, b'hello\\n')", Outcome.PROTOCOL_ERROR, words="hello"
    ),
    "garbage without an end of line": Death(
        "os.write(probe._fd, b'\\xff\\x00')", Outcome.PROTOCOL_ERROR
    ),
    "an event nobody knows": Death(
        'os.write(probe._fd, b\'{"event": "hello"}\\n\')', Outcome.PROTOCOL_ERROR
    ),
    "words after the end": Death(
        "import atexit; atexit.register(probe.value, 'late', 1)", Outcome.PROTOCOL_ERROR
    ),
    "nothing to do": Death("probe.nothing_to_do('no bfloat16')", Outcome.NOT_RUN, words="bfloat16"),
    "child in a session of its own": Death(
        "if os.fork() == 0:\n        os.setsid()\n        time.sleep(600)", Outcome.PASSED
    ),
    "child that talks": Death(
        "if os.fork() == 0:\n        probe.end()\n        os._exit(0)\n    os.wait()",
        Outcome.PASSED,
    ),
    "child of a child in a session of its own": Death(
        "if os.fork() == 0:\n        os.setsid()\n        if os.fork(): os._exit(0)\n"
        "        os.chdir('/'); time.sleep(600)\n    os.wait()",
        Outcome.PASSED,
    ),
    "stack overflow": Death(
        "import faulthandler; faulthandler._stack_overflow()", Outcome.CRASHED, "SIGSEGV"
    ),
    "a system call that is forbidden": Death(
        "os.kill(os.getpid(), signal.SIGSYS)", Outcome.CRASHED, "SIGSYS"
    ),
    "more processor time than it may have": Death(
        "import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 2))\n    while True: pass",
        Outcome.CRASHED,
        "SIGXCPU",
    ),
    "a signal without a name": Death(
        "os.kill(os.getpid(), signal.SIGRTMIN + 1)",
        Outcome.CRASHED,
        f"signal {signal.SIGRTMIN + 1}",
    ),
    "^C of somebody's": Death(
        "os.kill(os.getpid(), signal.SIGINT); time.sleep(9)",
        Outcome.FAILED,
        words="KeyboardInterrupt",
    ),
    "crash after faulthandler was taken away": Death(
        "import ctypes, faulthandler; faulthandler.disable(); ctypes.string_at(0)",
        Outcome.CRASHED,
        "SIGSEGV",
    ),
    "stopped by somebody": Death(
        "os.kill(os.getpid(), signal.SIGSTOP)", Outcome.TIMED_OUT, timeout_s=0.6
    ),
    "protocol pipe closed": Death("os.close(probe._fd)", Outcome.SILENT_EXIT, words="exit code 1"),
    "every descriptor closed": Death("os.closerange(0, 200)", Outcome.SILENT_EXIT),
    "another program in its place": Death(
        "os.execv('/bin/true', ['true'])", Outcome.SILENT_EXIT, words="exit code 0"
    ),
    "no descriptor left": Death(
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3)); open('/dev/null')",
        Outcome.FAILED,
        words="Too many open files",
    ),
    "flood on the protocol": Death(
        "for n in range(60000): probe.value(f'v{n}', 'y' * 40)", Outcome.PROTOCOL_ERROR
    ),
    "100 MB on stdout": Death("for _ in range(100): os.write(1, b'x' * 2**20)", Outcome.PASSED),
    "flood on stdout": Death("for _ in range(200): os.write(1, b'x' * 100000)", Outcome.PASSED),
}


def write_script(folder: Path, death: Death) -> Path:
    """A script file with the death's main()."""
    script = folder / "dying.py"
    script.write_text(
        f"import os, signal, sys, time\n\n\ndef main(probe):\n    probe.stage('dying')\n    {death.body}\n"
    )
    return script
