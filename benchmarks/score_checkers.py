"""Other checkers, and envguard, on rows of the truth table under a simulated driver.

Each tool gets a virtual environment of its own with a stub of PyTorch (metadata, `torch.version`, and
`torch.cuda.get_arch_list()` as that wheel would answer it), a fake nvidia-smi and the libraries of
tests/fake_driver. It is asked as its documentation says, as a process. Scored are the linux-64 rows of one
wheel on named cards that pass or fail; a warning counts as a pass.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from envguard.adapters.rules import load  # noqa: E402
from envguard.checks.torch_build import architectures_of, torch_build  # noqa: E402
from envguard.model.package import Manager, PackageRecord  # noqa: E402
from envguard.model.report import Status  # noqa: E402
from envguard.model.version import Dotted  # noqa: E402
from tests.fake_driver import build_fake_driver  # noqa: E402
from tests.truth import Row, rows  # noqa: E402

SCORES = ("right", "wrong", "unknown", "crashed")
NAMES = {
    "3.7": "Tesla K80",
    "5.2": "Tesla M40",
    "6.0": "Tesla P100-PCIE-16GB",
    "6.1": "NVIDIA GeForce GTX 1080 Ti",
    "7.0": "Tesla V100-SXM2-16GB",
    "7.5": "Tesla T4",
    "8.0": "NVIDIA A100-SXM4-80GB",
    "8.6": "NVIDIA GeForce RTX 3090",
    "8.9": "NVIDIA GeForce RTX 4090",
    "9.0": "NVIDIA H100 80GB HBM3",
    "10.0": "NVIDIA B200",
    "12.0": "NVIDIA GeForce RTX 5090",
}
INIT = "__version__ = version.__version__\n"
SMI = """#!{python}
import os, sys
driver, cuda = os.environ["FAKE_NVIDIA_DRIVER"], os.environ["FAKE_NVIDIA_CUDA"]
gpus = [gpu.split("|") for gpu in os.environ["FAKE_NVIDIA_GPUS"].split(";")]
query = next((a.partition("=")[2] for a in sys.argv if a.startswith("--query-gpu=")), None)
if query is None:
    print(f"| NVIDIA-SMI {{driver}}   Driver Version: {{driver}}   CUDA Version: {{cuda}}  |")
    sys.exit()
for index, (name, capability) in enumerate(gpus):
    known = dict(name=name, gpu_name=name, driver_version=driver, compute_cap=capability)
    unit = "" if any("nounits" in a for a in sys.argv) else " MiB"
    known |= {{"index": str(index), "uuid": f"GPU-{{index}}", "memory.total": "81920" + unit}}
    print(", ".join(known.get(field.strip(), "[N/A]") for field in query.split(",")))
"""


def of_marks(done: subprocess.CompletedProcess[str]) -> str:
    """rigsolve: one line a finding, `[FAIL]` or `[ok]`."""
    if "[FAIL]" in done.stdout:
        return "fail"
    return "pass" if "[ok]" in done.stdout else "unknown"


def of_summary(done: subprocess.CompletedProcess[str]) -> str:
    """cuda-doctor: counts by severity; a warning about a missing nvcc is none about PyTorch."""
    summary = _json(done.stdout)["summary"]
    return "fail" if summary["critical"] + summary["errors"] else "pass"


def of_components(done: subprocess.CompletedProcess[str]) -> str:
    """env-doctor: what it says of PyTorch, the driver and the card; the host's toolkit is left out."""
    checks = _json(done.stdout)["checks"]
    torch, card = checks["libraries"]["torch"], checks["compute_compatibility"]["status"]
    if (
        torch["issues"]
        or checks["driver"]["issues"]
        or card in ("error", "mismatch", "incompatible")
    ):
        return "fail"
    return "unknown" if card == "unknown" else "pass"


def of_report(done: subprocess.CompletedProcess[str]) -> str:
    """envguard: the verdict."""
    verdict = _json(done.stdout)["verdict"]
    return "pass" if verdict == "warn" else str(verdict)


def _json(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text[text.index("{") : text.rindex("}") + 1])
    reports: list[dict[str, Any]] = found.get("reports") or [found]
    return reports[0]


@dataclass(frozen=True)
class Tool:
    """`command` runs in the tool's environment; `{bin}` and `{venv}` are its places."""

    name: str
    command: tuple[str, ...] = ()
    answer: Callable[[subprocess.CompletedProcess[str]], str] | None = None
    why_not: str = ""


TOOLS = (
    Tool("rigsolve", ("{bin}/rigsolve", "check"), of_marks),
    Tool("cuda-doctor", ("{bin}/cuda-doctor", "diagnose", "--format", "json"), of_summary),
    Tool("env-doctor", ("{bin}/env-doctor", "check", "--ci"), of_components),
    Tool(
        "preflight-gpu", why_not="judges by kernels that it runs, for which a GPU has to be there"
    ),
    Tool(
        "gpumedic", why_not="judges heat, memory errors and links of the GPU, not what is installed"
    ),
)
OURS = Tool(
    "envguard",
    (sys.executable, "-m", "envguard", "check", "{venv}", "--format", "json"),
    of_report,
)


def scored_rows() -> list[Row]:
    """The rows that a stub and a fake driver can show: one wheel, named cards, a driver's version."""
    return [row for row in rows() if _can_be_shown(row)]


def _can_be_shown(row: Row) -> bool:
    machine = dict(row.machine)
    cards, driver = machine.pop("cards"), machine.pop("driver", "any")
    wheel = re.fullmatch(r"torch ([\d.]+)(\+cu\d+)? manager:pip", row.packages[0])
    return (
        len(row.packages) == 1
        and wheel is not None
        and row.verdict in (Status.PASS, Status.FAIL)
        and not machine
        and driver not in ("any", "absent")
        and bool(cards)
        and set(cards) <= set(NAMES)
    )


def show(row: Row, venv: Path) -> None:
    """Put the stub of the row's PyTorch into an environment, in place of the one before."""
    version = row.packages[0].split()[1]
    (site,) = venv.glob("lib/python3*/site-packages")
    for old in [*site.glob("torch-*.dist-info"), site / "torch"]:
        shutil.rmtree(old, ignore_errors=True)
    (site / "torch").mkdir()
    metadata = site / f"torch-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: torch\nVersion: {version}\n")
    (metadata / "RECORD").write_text("")
    cuda = _cuda_of(version)
    (site / "torch" / "version.py").write_text(f"__version__ = {version!r}\ncuda = {cuda!r}\n")
    (site / "torch" / "__init__.py").write_text("from . import cuda, version\n" + INIT)
    (site / "torch" / "cuda.py").write_text(
        f"def get_arch_list():\n    return {_codes(version)!r}\n"
    )


def _codes(version: str) -> list[str]:
    """What `torch.cuda.get_arch_list()` of the wheel says, by the table: `sm_80`, for PTX `compute_90`."""
    wheel = PackageRecord("torch", version, manager=Manager.PIP)
    build = torch_build([wheel], "linux-64", load())
    row = architectures_of(build, "linux-64", load()) if build is not None else None
    return [
        f"{kind}_{one.compute_capability.sm.removeprefix('sm_')}{one.suffix}"
        for one in (row.architectures if row is not None else ())
        for kind, there in (("sm", one.code), ("compute", one.ptx))
        if there
    ]


def _cuda_of(version: str) -> str | None:
    """What `torch.version.cuda` says: the wheel's own suffix, else PyPI's default."""
    if match := re.search(r"\+cu(\d+)(\d)\Z", version):
        return f"{match[1]}.{match[2]}"
    minor = Dotted.parse(version)
    for row in load().torch_defaults:
        low, _, high = row.torch.removeprefix(">=").partition(",<")
        if row.subdir == "linux-64" and Dotted.parse(low) <= minor < Dotted.parse(high):
            return str(row.cuda) if row.cuda else None
    return None


def seen(row: Row, fake: Path) -> dict[str, str]:
    """The variables that show the row's machine to a process."""
    driver = row.machine["driver"]
    cuda = load().driver_cuda(Dotted.parse(driver), os="linux")
    kept = {k: v for k, v in os.environ.items() if k in ("HOME", "PYTHONPATH", "TMPDIR")}
    return kept | {
        "PATH": f"{fake}:/usr/bin:/bin",
        "LD_LIBRARY_PATH": str(fake),
        "NO_COLOR": "1",
        "FAKE_NVIDIA_DRIVER": driver,
        "FAKE_NVIDIA_CUDA": str(cuda or "9.0"),
        "FAKE_NVIDIA_GPUS": ";".join(f"{NAMES[c]}|{c}" for c in row.machine["cards"]),
    }


def score(tool: Tool, row: Row, venv: Path, fake: Path, timeout_s: float) -> str:
    """How the tool did on one row."""
    show(row, venv)
    places = {"bin": str(venv / "bin"), "venv": str(venv)}
    command = [part.format(**places) for part in tool.command]
    assert tool.answer is not None
    try:
        done = subprocess.run(
            command, env=seen(row, fake), cwd=fake, timeout=timeout_s, check=False,
            capture_output=True, text=True,
        )  # fmt: skip
        said = tool.answer(done)
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return "crashed"
    if "Traceback" in done.stderr:
        return "crashed"
    return said if said == "unknown" else "right" if said == row.verdict.value else "wrong"


def make_venv(place: Path, package: str | None) -> bool:
    """An environment with the tool in it; False where it does not install."""
    uv = shutil.which("uv") or str(Path(sys.executable).parent / "uv")
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(place)], check=True)
    if package is None:
        return True
    command = [uv, "pip", "install", "-q", "--python", str(place / "bin" / "python"), package]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="score each n-th row only")
    parser.add_argument("--timeout-s", type=float, default=20)
    options = parser.parse_args(arguments)
    chosen = scored_rows()[:: options.every]
    print(f"{len(chosen)} rows of the truth table")
    print(f"{'tool':<16}" + "".join(f"{name:>9}" for name in SCORES))
    with tempfile.TemporaryDirectory(prefix="envguard-score-") as folder:
        fake = Path(folder) / "fake"
        fake.mkdir()
        build_fake_driver(fake)
        smi = fake / "nvidia-smi"
        smi.write_text(SMI.format(python=sys.executable))
        smi.chmod(0o755)
        for tool in (OURS, *TOOLS):
            print(_line(tool, chosen, Path(folder), fake, options.timeout_s), flush=True)


def _line(tool: Tool, chosen: list[Row], folder: Path, fake: Path, timeout_s: float) -> str:
    if tool.why_not:
        return f"{tool.name:<16} not scored: {tool.why_not}"
    venv = folder / tool.name
    if not make_venv(venv, None if tool is OURS else tool.name):
        return f"{tool.name:<16} missing: it does not install"
    counts = Counter(score(tool, row, venv, fake, timeout_s) for row in chosen)
    return f"{tool.name:<16}" + "".join(f"{counts[name]:>9}" for name in SCORES)


if __name__ == "__main__":
    main()
