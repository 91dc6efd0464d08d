"""A report of `verify` with everything in it, and a stranger's text wherever one can be."""

from __future__ import annotations

from envguard.model.machine import Driver, Gpu, Machine
from envguard.model.package import Manager, PackageRecord
from envguard.model.probe import REMOVED, Discovered, Outcome, Owner, OwnerKind, ProbeResult
from envguard.model.report import Finding, Fix, Library, Report, Status, Subject, Throwaway
from envguard.model.signature import ErrorCode
from envguard.model.version import ComputeCapability, Dotted

SCRIPT = "<script>alert(1)</script>"
HOSTILE = (
    f"{SCRIPT} & \"quoted\" 'too' ]]> ``` </pre></details> \x00\x1b[31m\u202e | *bold* [x](y)\nnext"
)

H100 = Machine(
    "linux-64",
    glibc=Dotted.parse("2.35"),
    driver=Driver(Dotted.parse("570.26"), Dotted.parse("12.8")),
    gpus=tuple(
        Gpu(
            n,
            "NVIDIA H100 80GB HBM3",
            f"GPU-{n}",
            compute_capability=ComputeCapability.parse("9.0"),
        )
        for n in range(4)
    ),
    environment={"LD_LIBRARY_PATH": "/apps/cudnn/9.1/lib"},
)
PACKAGES = (
    PackageRecord("pytorch", "2.9.1", build="cuda129_py312_h1", channel="conda-forge"),
    PackageRecord("numpy", "2.4.6", build="py312_0", channel="conda-forge"),
    PackageRecord("nvidia-cudnn-cu12", "9.10.2.21", Manager.PIP),
    PackageRecord("tqdm", "4.67", channel="conda-forge"),
)


def passed(name: str, gpu: int | None = None, **values: object) -> ProbeResult:
    return ProbeResult(name, Outcome.PASSED, gpu=gpu, seconds=1.25, values=values)


def crash(gpu: int, text: str = "") -> ProbeResult:
    return ProbeResult(
        "conv",
        Outcome.CRASHED,
        gpu=gpu,
        seconds=0.8,
        stage=f"conv2d float16 {text}".strip(),
        signal="SIGSEGV",
        library="libcudnn_cnn.so.9",
        library_path="/apps/cudnn/9.1/lib/libcudnn_cnn.so.9",
        owner=Owner(OwnerKind.MODULE, "cudnn/9.1"),
        detail=f"Segmentation fault {text}".strip(),
        stack=("site-packages/torch/nn/modules/conv.py:548 in _conv_forward", f"x.py:3 in {text}"),
        kernel=("NVRM: Xid (PCI:0000:17:00): 31, pid=4242",),
        codes=(
            ErrorCode("CUDNN_STATUS_NOT_SUPPORTED", 3000, "the library has no kernel for it", ""),
        ),
        output=f"loading\n{text}\ndone",
    )


def full_report(text: str = HOSTILE) -> Report:
    """Four GPUs, one of which crashes; findings of every status; `text` is a stranger's."""
    speeds = {"TFLOP/s float16": 701.4, "TFLOP/s float16 of peak": 0.71, "GB/s copy": 2890.0}
    probes = (
        passed("import"),
        *(passed("matmul", gpu, **speeds) for gpu in range(4)),
        *(passed("conv", gpu) for gpu in range(3)),
        crash(3, text),
        ProbeResult("nccl", Outcome.NOT_RUN, gpu=0, detail=text, wanted=False),
        ProbeResult("compile", Outcome.NOT_RUN, gpu=1, detail="no Triton", wanted=True),
    )
    findings = (
        Finding(
            "EG701",
            Status.FAIL,
            f"conv on gpu3 crashed with SIGSEGV {text}",
            message=text,
            have="cuDNN 9.1.0",
            need="cuDNN 9.5.1",
            symptom=text,
            evidence=(text, "the kernel's log"),
            fix=Fix("module unload cudnn/9.1", checked="tried: 12 of 12 pass"),
            sources=("https://docs.nvidia.com/deeplearning/cudnn/", f"javascript:{text}"),
        ),
        Finding("EG306", Status.WARN, "two OpenMP runtimes"),
        Finding("EG709", Status.UNKNOWN, "the GPU part was not tried"),
        Finding("EG101", Status.PASS, "the driver is new enough"),
        Finding("EG220", Status.SKIPPED, "no NCCL"),
    )
    return Report(
        "verify",
        Subject("conda-lock", f"conda-lock.yml {text}".strip(), detail="281 packages"),
        machine=H100,
        findings=findings,
        probes=probes,
        notes=(f"a note {text}".strip(), REMOVED),
        seconds=9.6,
        throwaway=Throwaway(
            281,
            "/scratch/pkgs",
            "hard links",
            "beside the package cache",
            0.4,
            11_000_000,
            2_400_000_000,
        ),
        interpreter=Discovered(
            "3.12.1", frozenset({"torch"}), "2.9.1", "12.9", torch_build_known=True
        ),
        packages=PACKAGES,
        libraries=(
            Library(
                "libcudnn.so.9", f"/apps/{text}/libcudnn.so.9", Owner(OwnerKind.MODULE, "cudnn/9.1")
            ),
            Library("libgomp.so.1", "/usr/lib/libgomp.so.1"),
        ),
    )
