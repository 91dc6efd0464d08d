"""Checkpoints: whole or not at all, read without running code, not where they go with the container."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from envguard import checkpoint

VOLUME = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("mountinfo", "folder", "gone"),
    [
        ("1 0 8:1 / / rw - ext4 /dev/sda1 rw", "/data", None),
        ("1 0 0:9 / / rw - overlay overlay rw", "/data", "is on overlay (mounted on /)"),
        ("1 0 0:9 / / rw - overlay o rw\n2 1 8:1 / /data rw - ext4 d rw", "/data", None),
        ("1 0 0:9 / / rw - overlay o rw\n2 1 8:1 / /data rw - ext4 d rw", "/data/run/1", None),
        (
            "1 0 0:9 / / rw - overlay o rw\n2 1 8:1 / /data rw - ext4 d rw",
            "/database",
            "is on overlay",
        ),
        (
            "1 0 8:1 / / rw - ext4 d rw\n2 1 0:7 / /dev/shm rw shared:2 - tmpfs t rw",
            "/dev/shm/a",
            "tmpfs",
        ),
        # of two on the same point, the one mounted last
        ("1 0 8:1 / /d rw - tmpfs t rw\n2 1 8:1 / /d rw - nfs4 d rw", "/d/run", None),
        ("1 0 8:1 / /d rw - nfs4 d rw\n2 1 8:1 / /d rw - tmpfs t rw", "/d/run", "tmpfs"),
        (
            "1 0 8:1 / /my\\040data rw - fuse.fuse-overlayfs d rw",
            "/my data/run",
            "fuse.fuse-overlayfs",
        ),
        (
            f"1 0 8:1 /var/lib/docker/volumes/{VOLUME}/_data /d rw - ext4 d rw",
            "/d",
            "without a name",
        ),
        ("1 0 8:1 /var/lib/docker/volumes/train/_data /d rw - ext4 d rw", "/d", None),
        (
            "1 0 8:1 /pods/1/volumes/kubernetes.io~empty-dir/scratch /d rw - ext4 d rw",
            "/d",
            "without a name",
        ),
        ("1 0 8:1 /pods/1/volumes/kubernetes.io~nfs/data /d rw - ext4 d rw", "/d", None),
    ],
)
def test_what_goes_with_the_container(mountinfo: str, folder: str, gone: str | None) -> None:
    reason = checkpoint.gone_with_the_container(Path(folder), mountinfo)
    assert reason is None if gone is None else reason is not None and gone in reason


def test_a_folder_in_memory_is_refused_and_taken_on_request() -> None:
    torch = pytest.importorskip("torch")
    shm = Path("/dev/shm")
    if not os.path.ismount(shm):
        pytest.skip("no /dev/shm here")
    folder = shm / f"envguard-{os.getpid()}"
    try:
        with pytest.raises(
            ValueError, match=r"is on tmpfs \(mounted on /dev/shm\).*ephemeral=True"
        ):
            checkpoint.save(folder, step=1, weights=torch.ones(1))
        assert checkpoint.save(folder, step=1, weights=torch.ones(1), ephemeral=True) is not None
    finally:
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()


def test_nothing_of_envguard_and_no_torch_is_imported() -> None:
    code = """
import sys, envguard.checkpoint
print(sorted(name for name in sys.modules if name.split('.')[0] in ('envguard', 'torch')))
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "['envguard', 'envguard.checkpoint']"


def test_a_model_and_its_optimizer_go_on(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")

    def made() -> tuple[object, object]:
        model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
        return model, torch.optim.AdamW(model.parameters())

    model, optimizer = made()
    model(torch.ones(2, 3)).sum().backward()
    optimizer.step()
    more = {
        "epoch": 2,
        "loss": 0.5,
        "name": "a",
        "rng": torch.get_rng_state(),
        "sizes": [(1, None), {"a": True}],
    }
    file = checkpoint.save(
        tmp_path, step=7, ephemeral=True, model=model, optimizer=optimizer, **more
    )

    assert file == tmp_path / "step-000000007.pt"
    other, its_optimizer = made()
    state = checkpoint.load(tmp_path, "cpu", model=other, optimizer=its_optimizer)
    assert (state["step"], state["epoch"], state["sizes"]) == (7, 2, [(1, None), {"a": True}])
    assert all(
        torch.equal(a, b)
        for a, b in zip(model.state_dict().values(), other.state_dict().values(), strict=True)
    )
    assert (
        its_optimizer.state_dict()["state"][0]["step"] == optimizer.state_dict()["state"][0]["step"]
    )
    assert checkpoint.load(file, "meta")["model"]["0.weight"].device.type == "meta"


def test_every_keep_and_latest(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    assert checkpoint.latest(tmp_path) is None
    assert checkpoint.latest(tmp_path / "not there") is None
    with pytest.raises(FileNotFoundError, match="holds no checkpoint"):
        checkpoint.load(tmp_path, "cpu")
    written = [
        checkpoint.save(tmp_path, step=step, every=2, keep=2, ephemeral=True)
        for step in range(1, 9)
    ]
    assert [file is not None for file in written] == [False, True] * 4
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "step-000000006.pt",
        "step-000000008.pt",
    ]
    assert checkpoint.latest(tmp_path) == tmp_path / "step-000000008.pt"
    for wrong in ({"step": -1}, {"step": 1, "every": 0}, {"step": 1, "keep": 0}):
        with pytest.raises(ValueError, match="at least"):
            checkpoint.save(tmp_path, **wrong)


def test_an_earlier_step_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    checkpoint.save(tmp_path, step=10, ephemeral=True)
    with pytest.raises(ValueError, match=r"holds step-000000010\.pt, and step 9 is before it"):
        checkpoint.save(tmp_path, step=9, ephemeral=True)
    with checkpoint.guard(), pytest.raises(ValueError, match="step 1 is before it"):
        checkpoint.save(
            tmp_path, step=1, every=100, ephemeral=True
        )  # not due, and known at the first step
    assert checkpoint.save(tmp_path, step=10, ephemeral=True) == tmp_path / "step-000000010.pt"


def test_what_needs_code_to_be_read_is_refused_by_name(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    options = argparse.Namespace(lr=0.1)
    with pytest.raises(TypeError, match=r"config\['args'\]\[0\] is a argparse\.Namespace"):
        checkpoint.save(tmp_path, step=1, ephemeral=True, config={"args": [options]})
    with pytest.raises(TypeError, match=r"models\[0\] is a torch\.nn"):
        checkpoint.save(tmp_path, step=1, ephemeral=True, models=[torch.nn.Linear(1, 1)])
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_would_run_code_is_not_loaded(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")

    class Runs:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "ran"),)

    torch.save({"step": Runs()}, tmp_path / "step-000000001.pt")
    with pytest.raises(Exception, match=r"[Ww]eights"):
        checkpoint.load(tmp_path, "cpu")
    assert not (tmp_path / "ran").exists()


def test_an_object_that_was_not_saved(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    checkpoint.save(tmp_path, step=1, ephemeral=True, loss=0.1)
    with pytest.raises(KeyError, match="holds loss, step, and no model"):
        checkpoint.load(tmp_path, "cpu", model=torch.nn.Linear(1, 1))


@pytest.mark.parametrize(
    ("error", "saved"),
    [
        (RuntimeError("CUDA error"), True),
        (KeyboardInterrupt(), True),
        (SystemExit(1), True),
        (SystemExit(0), False),
    ],
)
def test_an_emergency_save(tmp_path: Path, error: BaseException, saved: bool) -> None:
    torch = pytest.importorskip("torch")
    weights = torch.zeros(1)

    def training() -> None:
        with checkpoint.guard():
            for step in (3, 4):
                checkpoint.save(tmp_path, step=step, every=3, ephemeral=True, weights=weights)
            weights.add_(1)
            raise error

    with pytest.raises(type(error)):
        training()
    newest = checkpoint.latest(tmp_path)
    assert newest is not None
    assert newest.name == ("step-000000004.emergency.pt" if saved else "step-000000003.pt")
    assert float(checkpoint.load(tmp_path, "cpu")["weights"]) == float(saved)


def test_an_emergency_save_that_fails_hides_nothing(tmp_path: Path) -> None:
    pytest.importorskip("torch")

    def training() -> None:
        with checkpoint.guard():
            checkpoint.save(tmp_path, step=1, every=2, ephemeral=True, bad=argparse.Namespace())
            raise ZeroDivisionError

    warned = pytest.warns(UserWarning, match=r"no emergency checkpoint in .*Namespace")
    with warned, pytest.raises(ZeroDivisionError):
        training()


def test_no_guard_in_a_guard() -> None:
    with checkpoint.guard(), pytest.raises(RuntimeError, match="on already"), checkpoint.guard():
        pass


def program(tmp_path: Path, body: str, within: Sequence[str] = ()) -> subprocess.Popen[str]:
    head = """
        import os, resource, signal, sys, time
        import torch
        from envguard import checkpoint
        folder = sys.argv[1]
        weights = torch.ones(100_000)
        """
    code = textwrap.dedent(head) + textwrap.dedent(body)
    return subprocess.Popen(
        [*within, sys.executable, "-c", code, str(tmp_path / "run")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_sigterm_saves_and_ends_with_143(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    training = program(
        tmp_path,
        """
        with checkpoint.guard():
            checkpoint.save(folder, step=5, every=100, ephemeral=True, weights=weights)
            if os.fork() == 0:  # as a worker of a DataLoader: it dies of the signal and saves nothing
                os.write(1, b"worker %d\\n" % os.getpid())  # whole, also where PYTHONUNBUFFERED is set
                time.sleep(60)
            os.write(1, b"ready\\n")
            time.sleep(60)
        """,
    )
    assert training.stdout is not None
    # Python forgets a signal that comes before a fork is done: both have to be there
    said = dict(training.stdout.readline().partition(" ")[::2] for _ in range(2))
    os.kill(int(said["worker"]), signal.SIGTERM)
    training.send_signal(signal.SIGTERM)
    training.communicate(timeout=60)
    assert training.returncode == 143
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["step-000000005.emergency.pt"]
    assert checkpoint.load(tmp_path / "run", "cpu")["step"] == 5


def test_kill_9_before_the_file_has_its_name(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    training = program(
        tmp_path,
        """
        checkpoint.save(folder, step=1, ephemeral=True, weights=weights)
        os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
        checkpoint.save(folder, step=2, ephemeral=True, weights=weights)
        """,
    )
    training.communicate(timeout=60)
    assert training.returncode == -signal.SIGKILL
    assert len(list((tmp_path / "run").glob(".*.part"))) == 1
    assert checkpoint.load(tmp_path / "run", "cpu")["step"] == 1

    checkpoint.save(tmp_path / "run", step=2, ephemeral=True)
    assert sorted(file.name for file in (tmp_path / "run").iterdir()) == [
        "step-000000001.pt",
        "step-000000002.pt",
    ]


def test_a_full_disk_leaves_the_one_before(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    training = program(
        tmp_path,
        """
        checkpoint.save(folder, step=1, ephemeral=True)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
        checkpoint.save(folder, step=2, ephemeral=True, weights=weights)
        """,
    )
    _, said = training.communicate(timeout=60)
    assert training.returncode == 1
    assert "File too large" in said
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["step-000000001.pt"]


def test_a_full_disk_is_named_and_hides_not_what_ended_the_training(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    unshare = shutil.which("unshare")
    if unshare is None or os.geteuid() != 0:
        pytest.skip("a disk of a megabyte wants unshare, and root")
    (tmp_path / "run").mkdir()
    training = program(
        tmp_path,
        """
        import errno
        large = torch.ones(500_000)
        checkpoint.save(folder, step=1, ephemeral=True, weights=torch.ones(10))
        try:
            checkpoint.save(folder, step=2, ephemeral=True, weights=large)
        except OSError as error:
            assert error.errno == errno.ENOSPC
        try:
            with checkpoint.guard():
                checkpoint.save(folder, step=3, every=10, ephemeral=True, weights=large)
                raise KeyError("its own")
        except KeyError as error:
            print(error, os.listdir(folder), checkpoint.load(folder, "cpu")["step"])
        """,
        [
            unshare,
            "-m",
            "sh",
            "-c",
            'mount -t tmpfs -o size=1m tmpfs "$3" || exit 77; exec "$0" "$@"',
        ],
    )
    said, error = training.communicate(timeout=60)
    if training.returncode == 77:
        pytest.skip("nothing may be mounted here")
    assert training.returncode == 0, error
    assert said == "'its own' ['step-000000001.pt'] 1\n"
    assert "No space left on device" in error


@pytest.mark.parametrize("kind", ["int64", "uint8"])
def test_a_step_of_numpy_is_loaded_again(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("torch")
    numpy = pytest.importorskip("numpy")
    checkpoint.save(tmp_path, step=getattr(numpy, kind)(5), ephemeral=True)
    assert checkpoint.load(tmp_path, "cpu") == {"step": 5}


def test_a_step_that_is_no_whole_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="float"):
        checkpoint.save(tmp_path, step=5.0, ephemeral=True)  # type: ignore[arg-type]


def test_the_milestones_of_a_schedule_are_loaded_again(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)])
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 5])
    checkpoint.save(tmp_path, step=1, ephemeral=True, schedule=schedule)
    again = torch.optim.lr_scheduler.MultiStepLR(optimizer, [4])
    checkpoint.load(tmp_path, "cpu", schedule=again)
    assert again.state_dict()["milestones"] == {3: 1, 5: 1}


def test_writers_beside_each_other_do_not_sweep_each_other_away(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")

    def write(_writer: int) -> None:
        for _ in range(40):
            checkpoint.save(tmp_path, step=7, ephemeral=True, keep=1, a=torch.ones(50))

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(write, range(4)))
    assert [file.name for file in tmp_path.iterdir()] == ["step-000000007.pt"]


KILLS = 50


def test_two_processes_save_and_one_is_killed_again_and_again(tmp_path: Path) -> None:
    """Fifty times, at any moment of a save: what `latest` names is loaded, and no part stays."""
    pytest.importorskip("torch")
    training = program(
        tmp_path,
        f"""
        import random
        from pathlib import Path
        torch.set_num_threads(1)
        random.seed(1)
        weights = torch.ones(500_000)

        def writer(step, saves):
            if process := os.fork():
                return process
            for number in range(saves):
                checkpoint.save(folder, step=step, keep=3, ephemeral=True, weights=weights * step)
            os._exit(0)

        checkpoint.save(folder, step=1, ephemeral=True, weights=weights)
        cut = 0
        for step in range(2, {KILLS} + 2):
            killed, other = writer(step, 1000), writer(step, 2)
            time.sleep(random.random() * 0.05)
            os.kill(killed, signal.SIGKILL)
            os.waitpid(killed, 0)
            cut += any(Path(folder).glob(".*.part"))
            newest = checkpoint.load(folder, "cpu")
            assert torch.equal(newest["weights"], weights * newest["step"]), newest["step"]
            assert newest["step"] in (step - 1, step), newest["step"]
            assert os.waitpid(other, 0)[1] == 0
        checkpoint.save(folder, step=step + 1, keep=3, ephemeral=True)
        print(cut)
        """,
    )
    said, error = training.communicate(timeout=300)
    assert training.returncode == 0, error
    assert int(said) >= KILLS // 10, "in the middle of a save, not only between two"
    assert [file.name for file in (tmp_path / "run").iterdir() if file.suffix == ".part"] == []
    assert float(checkpoint.load(tmp_path / "run" / "step-000000051.pt", "cpu")["weights"][0]) == 51
