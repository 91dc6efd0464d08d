"""Set up the process of one probe, run the probe's `main(probe)`, and say how it went.

Started as `python _bootstrap.py JSON`, for one probe, or (with a `socket_fd`) to be forked for many.
Runs on Python 3.8 and later with the standard library alone.
The protocol is one JSON object a line on a pipe of its own, because libraries write on stdout.
"""

import os
import sys

FOLDER = os.path.dirname(os.path.abspath(__file__))
# the folder of a script is put in front of the path; a probe named like a module would shadow it
sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or ".") != FOLDER]

import json  # noqa: E402

if sys.version_info < (3, 7):  # in what every Python understands; later ones are tried
    REASON = "Python %d.%d is too old for probes, which want 3.8 or later" % sys.version_info[:2]
    for event in (
        {"event": "start", "pid": os.getpid()},
        {"event": "not_run", "reason": REASON, "wanted": True},
        {"event": "end"},
    ):
        os.write(json.loads(sys.argv[1])["protocol_fd"], (json.dumps(event) + "\n").encode("ascii"))
    sys.exit(0)

import importlib.util  # noqa: E402
import math  # noqa: E402
import signal  # noqa: E402
import time  # noqa: E402
import traceback  # noqa: E402

PR_SET_PDEATHSIG = 1
MESSAGE_CHARACTERS = 4000
SEED = 20240
NO_CPU_CODE = ("not implemented for", "not supported", "could not create a primitive")
FRAMES = 30


class Probe:
    """What a probe script gets: its arguments, and a voice."""

    def __init__(self, fd, arguments, until=None):
        self._fd = fd
        self.arguments = arguments
        self._until = until
        self._stage = None

    def stage(self, name):
        """Announce what comes next, so that a death can name it."""
        if self._until is not None and self._stage == self._until != name:
            self._say("end")  # it came past what it was run for
            os._exit(0)
        self._stage = name
        self._say("stage", name=name)

    def value(self, name, value):
        """Report something measured: text, a number, a boolean or None."""
        self._say("value", name=name, value=_finite(value))

    def compare(self, name, got, reference, tolerance):
        """Compare arrays or tensors with their float64 reference; reports and returns the error.

        The error is the largest difference, relative to the largest value of the reference.
        """
        got, reference = _float64(got), _float64(reference)
        if tuple(got.shape) != tuple(reference.shape):
            raise ValueError(
                "%s: shape %s instead of %s" % (name, tuple(got.shape), tuple(reference.shape))
            )
        scale = float(abs(reference).max())
        error = float(abs(got - reference).max()) / (scale or 1.0)
        self.judge(name, error, tolerance)
        return error

    def judge(self, name, error, tolerance):
        """Report an error that was computed elsewhere; NaN is above every tolerance."""
        self.value("error " + name, error)
        if not error <= tolerance:
            self._say("wrong", name=name, error=_finite(error), tolerance=tolerance)

    def nothing_to_do(self, reason, wanted=False):
        """Say why this probe does not apply; `wanted` where the user will miss it."""
        self._say("not_run", reason=reason, wanted=wanted)

    def torch(self):
        """PyTorch, its device started and at full precision: the module, and `cpu` or `cuda`."""
        self.stage("import torch")
        import torch

        device = self.arguments["device"]
        if device == "cuda":
            self.stage("CUDA start")
            torch.cuda.init()
            torch.zeros(1, device="cuda")
            self.value("device", torch.cuda.get_device_name(0))
            self.value("compute capability", "%d.%d" % torch.cuda.get_device_capability(0))
            torch.backends.cuda.matmul.allow_tf32 = False
            torch.backends.cudnn.allow_tf32 = False
        torch.manual_seed(SEED)
        return torch, device

    def reference(self, torch, function, *arguments, **options):
        """What `function` returns on one thread: on a busy machine many wait for each other, for seconds."""
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return function(*arguments, **options)
        finally:
            torch.set_num_threads(threads)

    def unless_missing(self, label, function):
        """What `function` returns; None, and said, where this CPU build has no code for it."""
        try:
            return function()
        except RuntimeError as error:
            if self.arguments["device"] == "cuda" or not any(w in str(error) for w in NO_CPU_CODE):
                raise
            self.value("not on this CPU build: " + label, True)
            return None

    def seconds(self, torch, function, repeats):
        """The time of one call, the best of three rounds of `repeats`, after one to get warm."""
        cuda = self.arguments["device"] == "cuda"
        best = float("inf")
        for count in (1, repeats, repeats, repeats):
            if cuda:
                torch.cuda.synchronize()
            started = time.perf_counter()
            for _ in range(count):
                function()
            if cuda:
                torch.cuda.synchronize()
            if count == repeats:
                best = min(best, (time.perf_counter() - started) / count)
        return best

    def start(self):
        self._say("start", pid=os.getpid(), python=".".join(map(str, sys.version_info[:3])))

    def exception(self, error):
        frames = traceback.extract_tb(error.__traceback__)
        self._say(
            "exception",
            type=type(error).__name__,
            message=str(error)[:MESSAGE_CHARACTERS],
            frames=["%s:%s in %s" % (f.filename, f.lineno, f.name) for f in frames[::-1][:FRAMES]],
            out_of_memory=_is_out_of_memory(error),
        )

    def end(self):
        self.stage("interpreter exit")
        self._say("end")

    def silence(self):
        """In a forked child: only the probe's own process speaks."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _say(self, event, **fields):
        if self._fd is not None:
            line = json.dumps(dict(fields, event=event)) + "\n"
            os.write(self._fd, line.encode("ascii"))


def _finite(value):
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _float64(array):
    if hasattr(array, "detach"):  # torch
        array = array.detach().cpu()
        return array if array.is_complex() else array.double()
    return array if array.dtype.kind == "c" else array.astype("float64")


def _is_out_of_memory(error):
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    words = ("out of memory", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")
    return isinstance(error, RuntimeError) and any(word in str(error) for word in words)


def _limit(config):
    """No core files, die with envguard, be the first the kernel kills when memory runs out."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if config["data_bytes"] is not None:
        # never RLIMIT_AS: CUDA reserves far more address space than memory
        resource.setrlimit(resource.RLIMIT_DATA, (config["data_bytes"],) * 2)
    if not sys.platform.startswith("linux"):
        return
    try:
        with open("/proc/self/oom_score_adj", "w") as stream:
            stream.write("1000")
    except OSError:
        pass  # no /proc, or a sandbox: the watchdog of the parent remains
    try:
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    except (ImportError, OSError, AttributeError):
        pass  # a Python without libffi: the next run sweeps what a killed envguard left
    if os.getppid() != config["parent"]:
        os._exit(1)  # the parent died before the line above


def _load(path, name="envguard_probe"):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def main():
    config = json.loads(sys.argv[1])
    if "socket_fd" not in config:
        sys.exit(run(config))
    os.set_inheritable(config["socket_fd"], False)
    _limit(config)
    zygote = _load(os.path.join(FOLDER, "_zygote.py"), "envguard_zygote")
    zygote.leave(run(zygote.serve(config)))


def run(config):
    """The probe of this process; returns its exit status. One that ends by itself is not held back."""
    sys.argv[:] = [config["script"]]
    os.set_inheritable(config["protocol_fd"], False)
    _limit(config)
    faults = _load(os.path.join(FOLDER, "_faults.py"), "envguard_faults")
    faults.watch(config["faults_fd"])
    probe = Probe(config["protocol_fd"], config["arguments"], config.get("until"))
    os.register_at_fork(after_in_child=probe.silence)
    os.register_at_fork(after_in_child=lambda: faults.let_children_die(config["faults_fd"]))
    probe.start()
    try:
        _load(config["script"]).main(probe)
    except SystemExit:
        raise  # it ended by itself: the missing `end` says so
    except BaseException as error:  # pyo3's PanicException is no Exception
        probe.exception(error)
        traceback.print_exc()
        return 1
    probe.end()
    return 0


main()
