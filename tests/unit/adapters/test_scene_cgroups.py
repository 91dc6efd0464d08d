"""What the kernel says of our container, as files of cgroup v1 and v2."""

from __future__ import annotations

from pathlib import Path

import pytest

from envguard.adapters.scene.cgroups import observe_container

V2 = {
    "proc/self/cgroup": "0::/docker/abc\n",
    "proc/self/mountinfo": "1 0 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
    "sys/fs/cgroup/docker/abc/memory.max": "1000\n",
    "sys/fs/cgroup/docker/abc/memory.current": "900\n",
    "sys/fs/cgroup/docker/abc/memory.peak": "999\n",
    "sys/fs/cgroup/docker/abc/memory.events": "low 0\nmax 7\noom 1\noom_kill 2\noom_group_kill 0\n",
    "proc/vmstat": "nr_free_pages 1\noom_kill 5\n",
}
V1 = {
    "proc/self/cgroup": "4:memory:/docker/abc\n3:cpu:/docker/abc\n",
    "proc/self/mountinfo": "1 0 0:1 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "1000\n",
    "sys/fs/cgroup/memory/memory.usage_in_bytes": "900\n",
    "sys/fs/cgroup/memory/memory.max_usage_in_bytes": "999\n",
    "sys/fs/cgroup/memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
    "proc/vmstat": "oom_kill 5\n",
}


def placed(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize("files", [V2, V1], ids=["v2", "v1, whose cgroup is the mounted one"])
def test_both_versions_tell_the_same(tmp_path: Path, files: dict[str, str]) -> None:
    found = observe_container(Path("/"), environment={}, root=placed(tmp_path, files))
    assert (found.container, found.memory_limit_bytes) == ("docker", 1000)
    assert (found.memory_used_bytes, found.memory_peak_bytes) == (900, 999)
    assert (found.oom_kills, found.machine_oom_kills) == (2, 5)


def test_a_kernel_that_does_not_count_peaks_is_not_asked_twice(tmp_path: Path) -> None:
    files = {name: text for name, text in V2.items() if not name.endswith("memory.peak")}
    found = observe_container(Path("/"), environment={}, root=placed(tmp_path, files))
    assert found.memory_peak_bytes is None
    assert found.oom_kills == 2


def test_a_machine_that_hides_all_is_not_observed(tmp_path: Path) -> None:
    found = observe_container(Path("/"), environment={}, root=tmp_path)
    assert found.oom_kills is None
    assert found.memory_limit_bytes is None
    assert found.shm_bytes is None
    assert found.storage is None


def test_strange_files_are_not_observed(tmp_path: Path) -> None:
    strange = {
        **V2,
        "sys/fs/cgroup/docker/abc/memory.events": "oom_kill many\n",
        "proc/vmstat": "x",
    }
    strange["proc/self/cgroup"] = "nonsense\n0::/docker/abc\n"
    found = observe_container(Path("/"), environment={}, root=placed(tmp_path, strange))
    assert (found.oom_kills, found.machine_oom_kills) == (None, None)
