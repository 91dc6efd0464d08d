"""A little knowledge for tests: made up in size, real in content."""

from envguard.model.knowledge import DriverBranch, DriverDrop, GpuModel, Knowledge
from envguard.model.origin import Origin
from envguard.model.spec_facts import Processors
from envguard.model.target import VirtualPackage
from envguard.model.version import ComputeCapability, Dotted

ORIGIN = Origin("a test", "2026-11-21")


def gpu(name: str, capability: str, family: str, kind: str = "geforce") -> GpuModel:
    subdir = "linux-aarch64" if kind == "jetson" else None
    return GpuModel(name, ComputeCapability.parse(capability), family, kind, ORIGIN, subdir)


def branch(os: str, first: str, cuda: str) -> DriverBranch:
    version = Dotted.parse(first)
    return DriverBranch(version.major, os, version, Dotted.parse(cuda), ORIGIN)


KNOWLEDGE = Knowledge(
    date="2026-11-21",
    gpus=(
        gpu("GeForce GTX TITAN X", "5.2", "Maxwell"),
        gpu("TITAN X", "6.1", "Pascal"),
        gpu("GeForce GTX 1080 Ti", "6.1", "Pascal"),
        gpu("Tesla V100", "7.0", "Volta", "data-center"),
        gpu("T4", "7.5", "Turing", "data-center"),
        gpu("T400", "7.5", "Turing", "pro"),
        gpu("Quadro RTX 4000", "7.5", "Turing", "pro"),
        gpu("Quadro RTX 6000", "7.5", "Turing", "pro"),
        gpu("A100", "8.0", "Ampere", "data-center"),
        gpu("A10", "8.6", "Ampere", "data-center"),
        gpu("RTX A6000", "8.6", "Ampere", "pro"),
        gpu("GeForce RTX 3090", "8.6", "Ampere"),
        gpu("Jetson AGX Orin", "8.7", "Ampere", "jetson"),
        gpu("GeForce RTX 4090", "8.9", "Ada"),
        gpu("GeForce RTX 4090 D", "8.9", "Ada"),
        gpu("RTX 4000 Ada", "8.9", "Ada", "pro"),
        gpu("RTX 6000 Ada", "8.9", "Ada", "pro"),
        gpu("H100", "9.0", "Hopper", "data-center"),
        gpu("H100 NVL", "9.0", "Hopper", "data-center"),
        gpu("RTX PRO 6000 Blackwell", "12.0", "Blackwell", "pro"),
    ),
    driver_branches=(
        branch("linux", "535", "12.2"),
        branch("linux", "580", "13.0"),
        branch("linux", "590", "13.1"),
        branch("win", "535.98", "12.2"),
        branch("win", "591", "13.1"),
    ),
    processors=(
        Processors(("linux-64", "win-64"), ("x86_64", "x86_64_v3", "zen3", "zen4"), ORIGIN),
        Processors(("linux-aarch64",), ("aarch64", "neoverse_v2"), ORIGIN),
    ),
    driver_drops=(
        DriverDrop(
            driver=Dotted.parse("590"),
            from_=ComputeCapability(5, 0),
            below=ComputeCapability(7, 5),
            family="Maxwell, Pascal and Volta",
            last_branch=580,
            origin=ORIGIN,
        ),
    ),
    baselines={
        "linux-64": (
            VirtualPackage("__glibc", "2.28"),
            VirtualPackage("__linux", "4.18"),
            VirtualPackage("__unix", "0"),
            VirtualPackage("__archspec", "1", "x86_64"),
        ),
        "linux-aarch64": (VirtualPackage("__glibc", "2.28"), VirtualPackage("__unix", "0")),
        "osx-arm64": (VirtualPackage("__osx", "13.0"), VirtualPackage("__unix", "0")),
        "win-64": (VirtualPackage("__win", "10.0"), VirtualPackage("__archspec", "1", "x86_64")),
    },
)
