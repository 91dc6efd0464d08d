"""A process that has imported a module, and is forked once a probe. Linux, Python 3.8 and later.

It touches no GPU: a process that has started CUDA must never be forked. Requests come as JSON on a socket,
with the descriptors of a probe's pipes and of a socket of its own, on which the answers go.
"""

import array
import atexit
import gc
import importlib
import json
import os
import select
import socket
import sys
import threading
import warnings

REQUEST_BYTES = 1024 * 1024
POLL_S = 0.01
DESCRIPTORS = 4
PR_SET_PDEATHSIG = 1


def serve(config):
    """Import, say so, fork for each request. Returns in each child, with what its probe is to be."""
    tag = Tag()
    importlib.import_module(config["module"])
    # what was imported is no garbage: to look at it at the end would copy all of it into each child
    gc.freeze()
    # until here whoever waits for the import; from here on the end of the socket is what ends this process
    _die_with_parent(0)
    control = socket.socket(fileno=config["socket_fd"])
    control.send(b"ready")
    us, children = os.getpid(), Children()
    while True:
        ready = children.wait(control)
        if control not in ready:
            continue
        request, descriptors = _receive(control)
        if not request:
            os._exit(0)
        line = socket.socket(fileno=descriptors[3])
        pid = _fork()
        if pid == 0:
            control.close()
            children.close()
            return dict(_become(json.loads(request), descriptors, line, tag), parent=us)
        for descriptor in descriptors[:3]:
            os.close(descriptor)
        children.add(pid, line)


class Children:
    """The probes that run. None is reaped before the other side is done with it and its process id."""

    def __init__(self):
        self._lines = {}
        self._told = set()
        self._left = set()

    def add(self, pid, line):
        self._lines[pid] = line

    def close(self):
        for line in self._lines.values():
            line.close()

    def wait(self, control):
        """What can be read; tells of those that have ended."""
        poll = POLL_S if self._lines or self._left else None
        ready = select.select([control] + list(self._lines.values()), [], [], poll)[0]
        for pid, line in list(self._lines.items()):
            if line in ready:  # its end: the other side wants to hear no more
                line.close()
                del self._lines[pid]
                self._told.discard(pid)
                self._left.add(pid)
        self._left = {pid for pid in self._left if os.waitpid(pid, os.WNOHANG)[0] == 0}
        for pid in self._lines:
            if pid not in self._told:
                self._tell(pid)
        return ready

    def _tell(self, pid):
        info = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if info is not None:
            self._told.add(pid)
            status = info.si_status if info.si_code == os.CLD_EXITED else -info.si_status
            _send(self._lines[pid], {"pid": pid, "status": status})


def _fork():
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # of threads: numpy's are stopped before a fork, and started again
        return os.fork()


def _receive(control):
    room = socket.CMSG_SPACE(DESCRIPTORS * array.array("i").itemsize)
    request, ancillary, _, _ = control.recvmsg(REQUEST_BYTES, room)
    descriptors = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    return request, list(descriptors)


def _become(config, descriptors, line, tag):
    """The child: a session, a folder, variables, output and a tag of its own."""
    os.setsid()
    tag.write(config["tag"])
    _send(line, {"pid": os.getpid(), "status": None})
    line.close()
    output, protocol, faults = descriptors[:3]
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    for name, value in config["variables"].items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    os.chdir(config["folder"])
    if "tempfile" in sys.modules:
        sys.modules["tempfile"].tempdir = None
    return dict(config, protocol_fd=protocol, faults_fd=faults)


def leave(status):
    """End a child as multiprocessing does: threads and exit functions of Python, and no more.

    To take down what the zygote imported copies each page of it: 0.2 s a probe with PyTorch. The end of a
    whole interpreter is what the probe `exit` tries, which is never forked.
    """
    import ctypes

    threading._shutdown()
    try:
        atexit._run_exitfuncs()
    except (
        BaseException
    ):  # before Python 3.10 the last one comes out, printed; no status tells of it either
        pass
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass  # the probe closed it
    ctypes.CDLL(None).fflush(None)
    os._exit(status)


def _send(line, message):
    try:
        line.send(json.dumps(message).encode("ascii"))
    except OSError:
        pass  # nobody listens any more


class Tag:
    """The variable that marks the processes of a probe, written where /proc/PID/environ reads it.

    Setting a variable changes a copy; the kernel shows the memory that the process was started with.
    """

    def __init__(self):
        import ctypes

        self._ctypes = ctypes
        getenv = ctypes.CDLL(None).getenv
        getenv.restype, getenv.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
        self._address = getenv(b"ENVGUARD_RUN")
        self._size = len(os.environ["ENVGUARD_RUN"])

    def write(self, tag):
        if len(tag) != self._size:
            raise ValueError("a tag of %d characters, not of %d" % (len(tag), self._size))
        self._ctypes.memmove(self._address, tag.encode("ascii"), self._size)
        os.environ["ENVGUARD_RUN"] = tag


def _die_with_parent(signal_number):
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
