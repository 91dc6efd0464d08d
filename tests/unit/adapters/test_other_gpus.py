"""GPUs that are not NVIDIA's."""

from pathlib import Path

from envguard.adapters.machine.other_gpus import list_other_gpus, pci_vendors
from envguard.model.machine import Gpu


def _pci(root: Path, slot: str, vendor: str, class_: str) -> None:
    device = root / "sys/bus/pci/devices" / slot
    device.mkdir(parents=True)
    (device / "vendor").write_text(f"{vendor}\n")
    (device / "class").write_text(f"{class_}\n")


def _kfd(root: Path, node: int, version: int) -> None:
    folder = root / "sys/class/kfd/kfd/topology/nodes" / str(node)
    folder.mkdir(parents=True)
    (folder / "properties").write_text(f"cpu_cores_count 0\ngfx_target_version {version}\n")


def test_gpus_are_told_by_vendor_and_class(tmp_path: Path) -> None:
    _pci(tmp_path, "0000:00:02.0", "0x8086", "0x030000")
    _pci(tmp_path, "0000:00:1f.0", "0x8086", "0x060100")  # a bridge, no GPU
    _pci(tmp_path, "0000:01:00.0", "0x10de", "0x030200")
    _pci(tmp_path, "0000:02:00.0", "0x1a03", "0x030000")  # a board's remote console
    _pci(tmp_path, "0000:03:00.0", "0x1002", "0x120000")

    assert pci_vendors(tmp_path) == ("intel", "nvidia", "amd")
    assert list_other_gpus(tmp_path) == (Gpu(0, vendor="amd"), Gpu(0, vendor="intel"))


def test_amds_compute_driver_names_the_architecture(tmp_path: Path) -> None:
    _pci(tmp_path, "0000:03:00.0", "0x1002", "0x120000")
    _kfd(tmp_path, 0, 0)  # a CPU
    _kfd(tmp_path, 1, 90402)
    _kfd(tmp_path, 2, 90010)
    _kfd(tmp_path, 10, 100300)

    assert list_other_gpus(tmp_path) == (
        Gpu(0, vendor="amd", architecture="gfx942"),
        Gpu(1, vendor="amd", architecture="gfx90a"),
        Gpu(2, vendor="amd", architecture="gfx1030"),
    )


def test_without_sysfs_no_gpu_is_seen(tmp_path: Path) -> None:
    assert list_other_gpus(tmp_path) == ()
