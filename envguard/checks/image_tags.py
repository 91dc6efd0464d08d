"""EG550: does the tag of an image exist, by the rules that its releases followed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from envguard.model.conda import version_matches
from envguard.model.image import CudaImages, ImageName, PytorchImages
from envguard.model.knowledge import Knowledge
from envguard.model.package import Manager, PackageRecord
from envguard.model.version import Dotted

PYTORCH = ("pytorch/pytorch",)
CUDA = ("nvidia/cuda", "nvcr.io/nvidia/cuda")
_PYTORCH_TAG = re.compile(
    r"(?P<torch>\d+\.\d+(?:\.\d+)?)-cuda(?P<cuda>\d+\.\d+)-cudnn(?P<cudnn>\d+)"
    r"(?:-(?P<kind>runtime|devel))?(?P<more>[\w.-]*)"
)
_CUDA_TAG = re.compile(
    r"(?P<version>\d+\.\d+(?:\.\d+)?)-(?:(?P<cudnn>cudnn\d*)-)?(?P<kind>base|runtime|devel)"
    r"-(?P<system>[a-z]+)(?P<release>[\d.]*)"
)
_FORM = "X.Y.Z-cuda<A.B>-cudnn<N>-runtime or -devel"


class Existence(Enum):
    """What the rules say about a tag."""

    EXISTS = "exists"
    NEVER = "never existed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TagAnswer:
    """About one tag. `records` is what Python or a program finds in the image; `instead` tags that exist."""

    existence: Existence
    reason: str
    records: tuple[PackageRecord, ...] = ()
    instead: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


def answer_for(name: ImageName, knowledge: Knowledge) -> TagAnswer:
    """What is known of an image; everything that no table covers is unknown."""
    if name.tag is None and name.digest is not None:
        return TagAnswer(Existence.UNKNOWN, "a digest alone does not say what is in the image")
    if name.repository in PYTORCH:
        return _pytorch(name.tag or "latest", knowledge)
    if name.repository in CUDA:
        return _cuda(name.tag or "latest", knowledge)
    return TagAnswer(Existence.UNKNOWN, f"there is no table of the tags of {name.repository}")


def image_records(
    row: PytorchImages, torch: str, cuda: Dotted, cudnn: int
) -> tuple[PackageRecord, ...]:
    """The PyTorch of an image as if it were installed: the checks of packages then judge it."""
    if row.packages == "conda":
        build = f"cuda{cuda}_cudnn{cudnn}"
        return (PackageRecord("pytorch", torch, build=build, channel="pytorch"),)
    version = f"{torch}+cu{str(cuda).replace('.', '')}"
    library = PackageRecord(f"nvidia-cudnn-cu{cuda.major}", str(cudnn), manager=Manager.PIP)
    return (PackageRecord("torch", version, manager=Manager.PIP), library)


def _pytorch(tag: str, knowledge: Knowledge) -> TagAnswer:
    match = _PYTORCH_TAG.fullmatch(tag)
    if match is None:
        return TagAnswer(Existence.UNKNOWN, f"{tag!r} is not of the form {_FORM}")
    torch = match["torch"]
    rows = _rows_of(torch, knowledge)
    if not rows:
        return TagAnswer(Existence.UNKNOWN, f"the images of PyTorch {torch} are not tabled")
    sources = tuple(dict.fromkeys(row.origin.source for row in rows))
    instead = _tags(torch, rows, match["kind"] or "runtime")
    if torch.count(".") < 2 or match["more"] or not match["kind"]:
        wrong = f"tags of that release are written {_FORM}"
        return TagAnswer(Existence.NEVER, wrong, (), instead, sources)
    cuda, cudnn = Dotted.parse(match["cuda"]), int(match["cudnn"])
    row = next((row for row in rows if cuda in row.cuda and row.cudnn == cudnn), None)
    if row is None:
        certain = all(row.origin.confidence == "high" for row in rows)
        listed = "; ".join(
            f"CUDA {', '.join(map(str, row.cuda))} with cuDNN {row.cudnn}" for row in rows
        )
        existence = Existence.NEVER if certain else Existence.UNKNOWN
        reason = f"the images of PyTorch {torch} are for {listed}"
        return TagAnswer(existence, reason, (), instead, sources)
    records = image_records(row, torch, cuda, cudnn)
    if row.origin.confidence == "low":
        reason = f"by the rule of its release {tag} should be there, and nobody was seen to use it"
        return TagAnswer(Existence.UNKNOWN, reason, records, (), sources)
    return TagAnswer(Existence.EXISTS, f"PyTorch {torch} for CUDA {cuda}", records, (), sources)


def _rows_of(torch: str, knowledge: Knowledge) -> list[PytorchImages]:
    return [row for row in knowledge.pytorch_images if version_matches(torch, row.torch)]


def _tags(torch: str, rows: list[PytorchImages], kind: str) -> tuple[str, ...]:
    full = torch if torch.count(".") == 2 else f"{torch}.0"
    return tuple(
        f"{full}-cuda{cuda}-cudnn{row.cudnn}-{kind}"
        for row in rows
        if row.origin.confidence != "low"
        for cuda in row.cuda
    )


def _cuda(tag: str, knowledge: Knowledge) -> TagAnswer:
    if tag == "latest":
        sources = tuple(dict.fromkeys(row.origin.source for row in knowledge.cuda_images[-1:]))
        reason = "nvidia/cuda has no tag `latest` (no tag means that one): a version is needed"
        return TagAnswer(Existence.NEVER, reason, sources=sources)
    match = _CUDA_TAG.fullmatch(tag)
    if match is None:
        form = "X.Y.Z-base-ubuntuNN.NN (or -runtime-, -devel-, with -cudnn- before these two)"
        return TagAnswer(Existence.UNKNOWN, f"{tag!r} is not of the form {form}")
    version = match["version"]
    record = PackageRecord("cuda-toolkit", version)
    row = next((row for row in knowledge.cuda_images if version in row.versions), None)
    if row is None:
        return TagAnswer(Existence.UNKNOWN, f"images of CUDA {version} are not tabled", (record,))
    wrong, instead = _wrong_parts(match, row)
    if wrong is not None:
        return TagAnswer(Existence.NEVER, wrong, (), instead, (row.origin.source,))
    if match["system"] != "ubuntu" or match["release"] not in row.ubuntu:
        system = f"{match['system']}{match['release']}"
        reason = f"nvidia/cuda has {version}; whether for {system} is not tabled"
        return TagAnswer(Existence.UNKNOWN, reason, (record,), (), (row.origin.source,))
    return TagAnswer(Existence.EXISTS, f"CUDA {version}", (record,), sources=(row.origin.source,))


def _wrong_parts(match: re.Match[str], row: CudaImages) -> tuple[str | None, tuple[str, ...]]:
    """Which part of a tag there never was, and the tag without that mistake."""
    version, kind = match["version"], match["kind"]
    system = f"{match['system']}{match['release']}"
    if match["cudnn"] and kind == "base":
        return "`base` images have no cuDNN", (f"{version}-{row.cudnn}-runtime-{system}",)
    if match["cudnn"] and match["cudnn"] != row.cudnn:
        instead = f"{version}-{row.cudnn}-{kind}-{system}"
        return f"the images of CUDA {version} write -{row.cudnn}-", (instead,)
    ubuntu = match["system"] == "ubuntu"
    if row.ubuntu_is_all and ubuntu and match["release"] not in row.ubuntu:
        middle = f"{match['cudnn']}-{kind}" if match["cudnn"] else kind
        instead_all = tuple(f"{version}-{middle}-ubuntu{release}" for release in row.ubuntu)
        return f"the images of CUDA {version} are for Ubuntu {', '.join(row.ubuntu)}", instead_all
    return None, ()
