"""Locking for real: py-rattler on the hand-written channel; each record there has one story."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from envguard.adapters import rules
from envguard.adapters.solver import RattlerSolver
from envguard.commands.checking.check import check_lock
from envguard.commands.locking.lock import lock
from envguard.commands.locking.outcome import LockOutcome
from envguard.commands.locking.summary import judged, summarize
from envguard.commands.locking.targets import lock_targets
from envguard.errors import InputError, UnavailableError, UnsatisfiableError
from envguard.formats.environments.environment_yml import parse_environment
from envguard.formats.locks.conda_lock import parse_conda_lock
from envguard.formats.locks.conda_lock_dump import dump_conda_lock
from envguard.formats.target_text import parse_target
from envguard.model.lockfile import LockedPackage
from envguard.model.machine import DriverState, Machine
from envguard.model.package import Manager, PackageRecord
from envguard.model.report import Status
from envguard.model.target import Target
from envguard.model.version import Dotted
from tests.fakes import FakePipResolver

CONDA_FORGE = "https://conda.anaconda.org/conda-forge"
BARE = Target(
    "here",
    Machine(
        "linux-64",
        glibc=Dotted.parse("2.35"),
        archspec="x86_64",
        driver=DriverState.ABSENT,
        gpus=(),
    ),
    given=False,
)


@pytest.fixture
def locked(channel, tmp_path):
    """Locks the text of an environment for the targets said."""

    def run(
        text: str, *said: str, platforms: tuple[str, ...] = (), strict_cuda: bool = False
    ) -> LockOutcome:
        knowledge = rules.load()
        environment = parse_environment(text, "environment.yml")
        targets = lock_targets(
            environment,
            platforms=platforms,
            said=said,
            here_subdir="linux-64",
            here=lambda: BARE,
            resolve=lambda what, subdir: parse_target(
                what, knowledge=knowledge, default_subdir=subdir
            ),
        )
        return lock(
            environment,
            targets,
            solver=RattlerSolver(
                cache_dir=tmp_path / "cache", mirrors={CONDA_FORGE: channel.as_uri()}
            ),
            pip=FakePipResolver(),
            knowledge=knowledge,
            source="environment.yml",
            strict_cuda=strict_cuda,
        )

    return run


def environment(*specs: str, extra: str = "") -> str:
    lines = "".join(f"  - {spec}\n" for spec in specs)
    return f"channels: [conda-forge]\ndependencies:\n{lines}{extra}"


def chosen(outcome: LockOutcome, name: str, subdir: str = "linux-64") -> str | None:
    for record in outcome.lockfile.records_for(subdir):
        if record.name == name:
            return f"{record.version} {record.build}"
    return None


@pytest.mark.parametrize(
    ("spec", "version"),
    [
        ("numpy", "2.3.1"),
        ("numpy=1.26", "1.26.4"),
        ("numpy==1.26.4", "1.26.4"),
        ("numpy >=1.24,<2", "1.26.4"),
        ("numpy=1.26.4=py312*", "1.26.4"),
        ("conda-forge::numpy", "2.3.1"),
        ("numpy=1.24", "1.24.4"),
    ],
)
def test_every_form_of_a_spec_is_solved(locked, spec, version):
    assert chosen(locked(environment("python", spec)), "numpy").startswith(version)


def test_python_brings_pip_as_with_conda(locked):
    assert chosen(locked(environment("python=3.12")), "pip")


def test_the_newest_gpu_build_is_taken_where_the_newest_version_is_a_cpu_build(locked):
    outcome = locked(environment("python=3.12", "pytorch"), "a100,driver=570.124.06")

    assert chosen(outcome, "pytorch") == "2.7.1 cuda129_mkl_py312_hfde4d7d_304"
    asides = [a for a in outcome.subdirs[0].set_aside if not a.detail]
    assert [a.rule for a in asides] == ["EG101", "EG401"]
    assert asides[0].what == "cuda-version >=13.0"
    assert asides[1].what == "pytorch 2.8.0"
    assert outcome.subdirs[0].cpu_only == ()


def test_without_a_gpu_the_newest_version_is_taken_and_called_cpu_only(locked):
    outcome = locked(environment("python=3.12", "pytorch"))

    assert chosen(outcome, "pytorch").startswith("2.8.0 cpu_mkl")
    assert [(r.name, reason) for r, reason in outcome.subdirs[0].cpu_only] == [("pytorch", "")]
    assert outcome.subdirs[0].set_aside == ()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (("a100", "linux-64:cpu"), "linux-64:cpu has no NVIDIA driver"),
        (("k80", "rtx5090"), "no CUDA runs on both"),
        (("a100,driver=450.36",), "too old for CUDA 11.0"),
    ],
)
def test_machines_that_contradict_each_other_are_no_unsatisfiable_request(locked, said, why):
    outcome = locked(environment("python=3.12", "pytorch"), *said)
    with pytest.raises(InputError, match=why):
        judged(outcome, "conda-lock.yml", rules.load())
    assert judged(outcome, "conda-lock.yml", rules.load(), allow=frozenset({"cpu"}))
    assert "cpu" in chosen(outcome, "pytorch")


def test_machines_of_which_one_has_no_gpu_lock_what_needs_none(locked):
    outcome = locked(environment("python=3.12", "numpy"), "a100", "linux-64:cpu")
    assert judged(outcome, "conda-lock.yml", rules.load())


@pytest.mark.parametrize(
    ("specs", "reason"),
    [
        (("python", "pytorch=2.8"), "asks for a version without CUDA build"),
        (("python", "pytorch=2.7.1=cpu*"), "the line 'pytorch=2.7.1=cpu*' asks for it"),
        (("python=3.12", "pytorch", "pytorch-cpu"), "the line 'pytorch-cpu' asks for it"),
        (("python=3.12", "pytorch=2.7"), "runs none of its CUDA builds: driver 450"),
        (
            ("python=3.12", "pytorch=2.7", "_openmp_mutex=4.5=2_gnu"),
            "no CUDA build goes with the line '_openmp_mutex=4.5=2_gnu'; without it one is found",
        ),
    ],
)
def test_a_cpu_build_on_a_gpu_target_has_a_reason(locked, specs, reason):
    driver = "450.80.02" if "450" in reason else "570.124.06"
    outcome = locked(environment(*specs), f"a100,driver={driver}")
    told = {record.name: why for record, why in outcome.subdirs[0].cpu_only}
    assert reason in told["pytorch"]


def test_a_cpu_build_on_a_gpu_target_is_refused_unless_allowed(locked):
    knowledge = rules.load()
    outcome = locked(environment("python", "pytorch=2.8"), "a100,driver=570.124.06")
    with pytest.raises(UnsatisfiableError, match="a CPU build for a machine with a GPU") as refused:
        judged(outcome, "conda-lock.yml", knowledge)
    assert "without CUDA build" in refused.value.problems[0]
    assert judged(outcome, "conda-lock.yml", knowledge, allow=frozenset({"cpu"}))


def test_platforms_without_a_named_machine_get_no_gpu(locked):
    outcome = locked(
        environment("python=3.12", "pytorch", extra="platforms: [linux-64, win-64, osx-arm64]\n"),
        "a100,driver=570.124.06",
    )

    assert [s.subdir for s in outcome.subdirs] == ["linux-64", "win-64", "osx-arm64"]
    assert "cuda129" in chosen(outcome, "pytorch")
    assert "cpu" in chosen(outcome, "pytorch", "win-64")
    assert "cpu" in chosen(outcome, "pytorch", "osx-arm64")
    recorded = {t.target.name: t.virtual_packages for t in outcome.lockfile.targets}
    assert any(p.startswith("__cuda=12.8") for p in recorded["a100,driver=570.124.06"])
    assert not any("__cuda" in p for p in recorded["win-64"])
    assert any(p.startswith("__osx=") for p in recorded["osx-arm64"])


def test_a_target_of_another_platform_is_named_with_it(locked):
    outcome = locked(
        environment("python", "pytorch=2.7", extra="platforms: [linux-64, win-64]\n"),
        "win-64:rtx4090,driver=572.61",
    )
    assert "cpu" in chosen(outcome, "pytorch", "linux-64")
    assert "cuda128" in chosen(outcome, "pytorch", "win-64")


def test_several_machines_of_a_platform_share_what_the_oldest_can(locked):
    text = environment("python", "cuda-version")
    assert chosen(locked(text, "h100,driver=580.65.06"), "cuda-version").startswith("13.0")
    both = locked(text, "h100,driver=580.65.06", "a100,driver=570.124.06")
    assert chosen(both, "cuda-version").startswith("12.9")


def test_selectors_hold_for_their_platform(locked):
    outcome = locked(
        environment("only-linux  # [linux]", "only-win  # [win]", "only-osx  # [osx]"),
        platforms=("linux-64", "win-64", "osx-arm64"),
    )
    assert [chosen(outcome, "only-win", s) is not None for s in outcome.lockfile.platforms] == [
        False,
        True,
        False,
    ]


def test_the_same_request_gives_the_same_bytes(locked):
    text = environment(
        "python", "pytorch", "jupyterlab", extra="platforms: [linux-64, osx-arm64]\n"
    )
    texts = {
        dump_conda_lock(locked(text, "a100,driver=570.124.06").lockfile, created_by="envguard")
        for _ in range(2)
    }
    assert len(texts) == 1


def test_the_lock_says_nothing_of_whose_machine_it_was():
    here = replace(
        BARE.machine, environment={"LD_LIBRARY_PATH": "/home/somebody/lib"}, shm_bytes=64
    )
    outcome = lock(
        parse_environment(environment("only-linux"), "environment.yml"),
        {"linux-64": (replace(BARE, machine=here),)},
        solver=_OneSolution(),
        pip=FakePipResolver(),
        knowledge=rules.load(),
        source="environment.yml",
    )
    assert "somebody" not in dump_conda_lock(outcome.lockfile, created_by="envguard")


class _OneSolution:
    """A solver without records, where the records do not matter."""

    def solve(self, requests):
        from envguard.ports.solver import Solution

        return tuple(Solution(request) for request in requests)

    def candidates(self, name, *, subdir, channels):
        return ()


def test_pip_packages_are_locked_beside_what_conda_chose(locked):
    outcome = locked(environment("python", "numpy", extra="  - pip:\n    - einops==0.8.0\n"))

    pip = [r for r in outcome.lockfile.records_for("linux-64") if r.manager == "pip"]
    assert [(r.name, r.version) for r in pip] == [("einops", "0.8.0")]
    assert outcome.lockfile.request.pip == {"linux-64": ("einops==0.8.0",)}


@pytest.mark.parametrize(
    ("specs", "told"),
    [
        pytest.param(
            ["pytorch=2.7.1=*_cu118"],
            "'pytorch=2.7.1=*_cu118' (line 4) matches no build; of that version there are "
            "cpu_mkl_py312_h6a7998d_104, cuda129_mkl_py312_hfde4d7d_304",
            id="a build string that matches nothing",
        ),
        pytest.param(
            ["pytorch>=9"],
            "'pytorch>=9' (line 4) matches no version; there are 2.10.0, 2.8.0, 2.7.1, 2.5.1, 2.2.2; "
            "nearest: 2.10.0",
            id="a version that does not exist",
        ),
        pytest.param(
            ["no-such-package"],
            "'no-such-package' (line 4): no channel has a package 'no-such-package' for linux-64",
            id="a name that does not exist",
        ),
        pytest.param(["wants-numpy-1", "numpy>=2"], "wants-numpy-1", id="a real conflict"),
        pytest.param(
            ["wants-numpy-1", "numpy>=2"],
            "solves (tried): 'numpy' instead of 'numpy>=2': gives numpy 1.26.4",
            id="a change that was tried",
        ),
        pytest.param(
            ["wants-numpy-1", "numpy>=2"],
            "at odds: 'wants-numpy-1' (line 4), 'numpy>=2' (line 5)",
            id="the lines that are at odds",
        ),
        pytest.param(
            ["wants-numpy-1", "numpy>=2"],
            "wants-numpy-1 1.0 needs numpy >=1.26,<2; the file says 'numpy>=2'",
            id="what stands against the line",
        ),
        pytest.param(
            ["numpy=2.1", "no-such-package"],
            "solves (tried): 'numpy' instead of 'numpy=2.1', without 'no-such-package': gives numpy 2.3.1",
            id="changes of lines that match nothing",
        ),
        pytest.param(
            ["pytorch=2.7=cpu*"],
            "solves (tried): 'pytorch=2.7.*=cpu*' instead of 'pytorch=2.7=cpu*': gives pytorch 2.7.1",
            id="an exact version that was meant as the first part of one",
        ),
        pytest.param(
            ["pytorch=2.7=cuda*"],
            "solves (tried): 'pytorch' instead of 'pytorch=2.7=cuda*': gives pytorch 2.8.0",
            id="a line that is changed twice",
        ),
        pytest.param(
            ["orphan", "numpy"],
            "cannot be installed, whatever the other lines say: 'orphan' (line 4)",
            id="a line that has no solution by itself",
        ),
        pytest.param(
            ["needs-new-glibc"], "solves (tried): a newer system", id="a system that would do"
        ),
        pytest.param(["needs-new-driver"], "no __cuda (no NVIDIA driver)", id="no driver"),
        pytest.param(["needs-new-glibc"], "__glibc=2.35", id="a glibc too old"),
        pytest.param(
            ["needs-new-glibc"],
            "; the target has __glibc 2.35",
            id="what the machine has, beside what is needed",
        ),
        pytest.param(
            ["needs-new-driver"], "; the target has no __cuda", id="what the machine has not"
        ),
        pytest.param(["orphan"], "nowhere-to-be-found", id="a dependency that nobody has"),
    ],
)
def test_a_request_without_a_solution_says_what_stands_in_the_way(locked, specs, told):
    with pytest.raises(UnsatisfiableError) as caught:
        locked(environment("python=3.12", *specs))
    assert told in "\n".join(caught.value.problems)
    assert caught.value.exit_code == 1


def test_a_channel_that_is_not_there_is_one_sentence_and_a_next_step(tmp_path):
    solver = RattlerSolver(
        cache_dir=tmp_path, mirrors={CONDA_FORGE: (Path(tmp_path) / "nowhere").as_uri()}
    )
    with pytest.raises(UnavailableError, match="a channel did not answer") as caught:
        lock(
            parse_environment(environment("python"), "environment.yml"),
            {"linux-64": (BARE,)},
            solver=solver,
            pip=FakePipResolver(),
            knowledge=rules.load(),
            source="environment.yml",
        )
    assert "--mirror" in caught.value.hint


def test_a_variable_that_looks_like_a_secret_is_told_and_not_written(locked):
    outcome = locked(
        environment("python", extra="variables:\n  HF_TOKEN: hf_123\n  OMP_NUM_THREADS: 4\n")
    )
    assert outcome.lockfile.request.variables == {"OMP_NUM_THREADS": "4"}
    assert (
        "variables: HF_TOKEN looks like a secret and is not written into the lock" in outcome.notes
    )
    assert "hf_123" not in dump_conda_lock(outcome.lockfile, created_by="envguard")


@pytest.mark.parametrize(
    ("card", "cudnn"), [("v100", "9.10.2.21"), ("gtx 1080", "9.10.2.21"), ("a100", "9.13.0.50")]
)
def test_what_a_card_cannot_run_is_set_aside(locked, card, cudnn):
    outcome = locked(environment("python=3.12", "pytorch"), card)

    assert chosen(outcome, "cudnn").startswith(cudnn)
    rules = {a.rule for a in outcome.subdirs[0].set_aside if not a.detail}
    assert rules == {"EG401"} | (set() if card == "a100" else {"EG201", "EG210"})


@pytest.mark.parametrize(("driver", "told"), [("545.23.06", True), ("575.51.03", False)])
def test_a_cuda_newer_than_the_drivers_is_said(locked, driver, told):
    outcome = locked(environment("python=3.12", "pytorch=2.7.1"), f"a100,driver={driver}")
    said = "CUDA 12.9 is newer than the driver's 12.3"
    assert any(said in note for note in outcome.notes) is told

    text = dump_conda_lock(outcome.lockfile, created_by="a test")
    lockfile = parse_conda_lock(text, "conda-lock.yml")
    [recorded] = lockfile.targets or ()
    assert recorded.newer_cuda == (Dotted.parse("12.9") if told else None)
    at_the_floor, below_it = (
        parse_target(f"a100,driver={number}", knowledge=rules.load(), default_subdir="linux-64")
        for number in ("525.60.13", "470.57.02")
    )
    same, older, too_old = check_lock(
        lockfile,
        "conda-lock.yml",
        (recorded.target, at_the_floor, below_it),
        knowledge=rules.load(),
    )
    assert any(said in note for note in same.notes) is told
    assert any("newer than the driver's 12.0" in note for note in older.notes) is told
    assert not any("machine code runs" in note for note in too_old.notes)


def test_a_cap_for_ptx_yields_to_the_cuda_build(locked):
    capped = locked(environment("python=3.11", "pytorch=2.5.1", "numba"), "a100,driver=545.23.06")
    assert chosen(capped, "pytorch").startswith("2.5.1 cuda118")  # the driver's CUDA is 12.3
    only = locked(environment("python=3.12", "pytorch=2.7.1", "numba"), "a100,driver=545.23.06")
    assert chosen(only, "pytorch").startswith("2.7.1 cuda129")
    with pytest.raises(UnsatisfiableError, match="CPU build"):
        judged(
            locked(
                environment("python=3.12", "pytorch=2.7.1"),
                "a100,driver=545.23.06",
                strict_cuda=True,
            ),
            "conda-lock.yml",
            rules.load(),
        )


def test_a_card_with_any_driver_gets_the_build_that_asks_least_of_it(locked):
    outcome = locked(environment("python=3.11", "pytorch=2.10"), "linux-64:h100")
    assert chosen(outcome, "pytorch").startswith("2.10.0 cuda129")
    assert [a.rule for a in outcome.subdirs[0].set_aside if not a.detail] == ["EG101"]
    newest = locked(environment("python=3.11", "pytorch=2.10"), "h100,driver=580.65.06")
    assert chosen(newest, "pytorch").startswith("2.10.0 cuda130")


def test_a_wider_reach_is_not_bought_with_ptx(locked):
    outcome = locked(environment("python=3.11", "pytorch=2.5.1"), "h100")
    assert chosen(outcome, "pytorch").startswith("2.5.1 cuda126")
    older = locked(environment("python=3.11", "pytorch=2.5.1"), "a100")
    assert chosen(older, "pytorch").startswith("2.5.1 cuda118")


def test_a_pin_that_no_card_can_run_is_left_to_the_check(locked):
    outcome = locked(environment("python=3.12", "pytorch", "cudnn=9.13"), "v100")
    assert chosen(outcome, "cudnn").startswith("9.13")
    assert "EG210" not in [aside.rule for aside in outcome.subdirs[0].set_aside]


def test_a_change_that_gives_a_cpu_build_solves_nothing_for_a_machine_with_a_gpu(locked):
    with pytest.raises(UnsatisfiableError) as caught:
        locked(environment("python=3.12", "pytorch=2.8=*cu118*"), "a100,driver=570.124.06")
    [told] = [line for line in caught.value.problems if "solves (tried)" in line]
    assert "gives pytorch 2.7.1 cuda129" in told


def test_a_wheel_that_one_of_two_contradicting_machines_does_not_run_is_their_contradiction(locked):
    outcome = locked(environment("python=3.12"), "a100", "linux-64:cpu")
    wheel = PackageRecord("torch", "2.7.1+cu128", Manager.PIP, subdir="linux-64")
    packages = (*outcome.lockfile.packages, LockedPackage(wheel, "linux-64"))
    outcome = replace(outcome, lockfile=replace(outcome.lockfile, packages=packages))
    with pytest.raises(InputError, match="linux-64:cpu has no NVIDIA driver"):
        judged(outcome, "conda-lock.yml", rules.load())


def test_what_is_the_same_for_several_machines_is_told_once(locked):
    text = environment("python=3.12", "pytorch")
    outcome = locked(text, "a100", "h100")
    pair = [
        LockedPackage(PackageRecord(name, version, build="0", channel="conda-forge"), "linux-64")
        for name, version in (("sympy", "1.14.0"), ("mpmath", "1.4.0"))  # EG369
    ]
    packages = (*outcome.lockfile.packages, *pair)
    outcome = replace(outcome, lockfile=replace(outcome.lockfile, packages=packages))
    reports = judged(outcome, "conda-lock.yml", rules.load())
    assert len({f.target for r in reports for f in r.findings if f.status is Status.WARN}) == 2
    summary = summarize(
        outcome, parse_environment(text, "e.yml"), reports, output="conda-lock.yml", seconds=0
    )
    assert {finding.target for finding in summary.findings} == {"a100 + h100"}


def test_a_newer_driver_is_offered_where_a_line_wants_one(locked):
    with pytest.raises(UnsatisfiableError) as caught:
        locked(environment("python=3.12", "pytorch", "needs-new-driver"), "a100,driver=470.57.02")
    told = "\n".join(caught.value.problems)
    assert "; the target has __cuda 11.4" in told
    assert "solves (tried): a newer driver" in told
