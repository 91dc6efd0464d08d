"""The machine contract as Kubernetes enforces it: a nodeAffinity over the labels of GPU feature discovery.

Driver, CUDA and compute capability are labels, each number of them one:
https://github.com/NVIDIA/k8s-device-plugin/blob/main/docs/gpu-feature-discovery/README.md. Terms are
alternatives, the expressions of one hold together, `Gt` and `Lt` compare integers:
https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import yaml

from envguard.formats.renders.contract_terms import Bound, Term, contract_in, in_words, terms_of
from envguard.formats.renders.wording import HEADER
from envguard.model.lockfile import Lockfile
from envguard.model.rendering import Rendered, RenderKind

_LABELS = {
    "driver": (
        "nvidia.com/cuda.driver.major",
        "nvidia.com/cuda.driver.minor",
        "nvidia.com/cuda.driver.rev",
    ),
    "driver_cuda": ("nvidia.com/cuda.runtime.major", "nvidia.com/cuda.runtime.minor"),
    "compute_capability": ("nvidia.com/gpu.compute.major", "nvidia.com/gpu.compute.minor"),
}
_ARCHITECTURES = {"64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_OS = {"linux": "linux", "win": "windows"}
Expression = dict[str, Any]


def render_node_affinity(lockfile: Lockfile, subdir: str) -> Rendered:
    """`affinity:` for a pod's spec; what labels do not say is a comment."""
    terms = terms_of(contract_in(lockfile, subdir))
    machine = _machine(subdir)
    selected = [[*machine, *part] for term in terms.terms for part in _alternatives(term)]
    if not terms.needs_gpu:
        selected = [machine]
    head = [
        f"# Nodes that can run the packages for {subdir}, for `spec:` of a pod: by the labels of NVIDIA's",
        "# GPU feature discovery",
        *(f"# Not in it: {text}" for text in terms.unsaid),
        *(f"# {in_words(term)}" for term in terms.terms),
    ]
    if not selected:
        head.append("# No card is known to run them: no node fits")
        selected = [[{"key": "nvidia.com/gpu.compute.major", "operator": "Lt", "values": ["0"]}]]
    required = {"nodeSelectorTerms": [{"matchExpressions": list(part)} for part in selected]}
    document = {
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}
    }
    body = yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=1000)
    notes = tuple(f"{subdir}: not in it: {text}" for text in terms.unsaid)
    return Rendered(RenderKind.NODE_AFFINITY, subdir, HEADER + "\n".join(head) + "\n" + body, notes)


class _Dumper(yaml.CSafeDumper):
    """Without anchors: the terms share expressions."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _machine(subdir: str) -> list[Expression]:
    os_name, _, processor = subdir.partition("-")
    found = [
        ("kubernetes.io/os", _OS.get(os_name)),
        ("kubernetes.io/arch", _ARCHITECTURES.get(processor)),
    ]
    return [{"key": key, "operator": "In", "values": [value]} for key, value in found if value]


def _alternatives(term: Term) -> list[list[Expression]]:
    """A version is several labels, so one comparison of it is several terms."""
    return [[e for part in parts for e in part] for parts in product(*map(_compared, term))]


def _compared(bound: Bound) -> list[list[Expression]]:
    """`driver >=525.60.13`: a newer major; that one and a newer minor; those and at least that revision."""
    labels = _LABELS[bound.fact]
    numbers = [*bound.value.parts, *[0] * len(labels)][: len(labels)]
    greater, inclusive = ">" in bound.operator, "=" in bound.operator
    found = []
    for place, number in enumerate(numbers):
        last = place == len(numbers) - 1 or (
            (inclusive is greater) and not any(numbers[place + 1 :])
        )
        same = [_is(label, n) for label, n in zip(labels[:place], numbers[:place], strict=True)]
        found.append(
            [*same, _beyond(labels[place], number, greater=greater, or_same=last and inclusive)]
        )
        if last:
            break
    return [part for part in found if not _never(part)]


def _beyond(label: str, number: int, *, greater: bool, or_same: bool) -> Expression:
    limit = number + (-1 if greater else 1) * or_same
    return {"key": label, "operator": "Gt" if greater else "Lt", "values": [str(limit)]}


def _is(label: str, number: int) -> Expression:
    return {"key": label, "operator": "In", "values": [str(number)]}


def _never(expressions: Sequence[Expression]) -> bool:
    """Labels are no negative numbers."""
    return any(e["operator"] == "Lt" and e["values"] == ["0"] for e in expressions)
