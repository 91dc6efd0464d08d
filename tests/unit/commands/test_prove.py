"""What counts as the same: versions of what is named, and every choice of a GPU build."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envguard.adapters.rules import load
from envguard.commands.locking.prove import compare
from envguard.model.environment import Dependency, Environment
from envguard.model.package import Manager, PackageRecord

NUMPY = PackageRecord("numpy", "1.26.4")
BLAS = PackageRecord("libblas", "3.9")
TORCH = PackageRecord("pytorch", "2.7.1", build="cuda129_py312_300", depends=("__cuda",))
WHEEL = PackageRecord("torch", "2.7.1+cu128", Manager.PIP)
EXPORT = Environment(
    dependencies=(Dependency("numpy=1.26"),), pip=(Dependency("torch==2.7.1+cu128"),)
)


@pytest.mark.parametrize(
    ("old", "new", "gpu", "leaves"),
    [
        pytest.param(NUMPY, replace(NUMPY, build="other_1"), (), (), id="another build"),
        pytest.param(
            NUMPY,
            replace(NUMPY, version="1.26.5"),
            (),
            (("numpy", "1.26.4", "1.26.5"),),
            id="a newer patch of what is named",
        ),
        pytest.param(NUMPY, None, (), (("numpy", "1.26.4", "not there"),), id="gone"),
        pytest.param(BLAS, replace(BLAS, version="4"), (), (), id="what nobody named"),
        pytest.param(
            TORCH, replace(TORCH, version="2.8.0", build="cuda129_x_0"), (), (), id="the same CUDA"
        ),
        pytest.param(
            TORCH,
            replace(TORCH, build="cuda128_x_0"),
            (("pytorch", "*cuda129*", "*cuda128*"),),
            (),
            id="another CUDA, though nobody named it",
        ),
        pytest.param(
            TORCH,
            replace(TORCH, build="cpu_x_0", depends=()),
            (("pytorch", "*cuda129*", "cpu*"),),
            (),
            id="the CPU build",
        ),
        pytest.param(
            WHEEL,
            replace(WHEEL, version="2.7.1"),
            (("torch", "cu128", "as on PyPI"),),
            (("torch", "2.7.1+cu128", "2.7.1"),),
            id="a wheel for another CUDA",
        ),
    ],
)
def test_what_came_out_otherwise(old, new, gpu, leaves):
    others = [record for record in (NUMPY, BLAS, TORCH, WHEEL) if record is not old]
    after = [*others, *([new] if new is not None else [])]
    proof = compare(EXPORT, "linux-64", (*others, old), after, load())
    assert (proof.gpu, proof.leaves) == (gpu, leaves)
    assert proof.same is not bool(gpu or leaves)
    assert proof.compared == 2
