"""How often `diagnose` names the cause of a stranger's failure, by class of cause.

    python benchmarks/deaths.py [--set first|second|all] [--part tuned|held-out|all] [--show]

The first set is corpus/deaths.yaml, of which a third was set aside by repository: what its sha256 says,
nobody chooses. It has taught the signatures since. The second, deaths_more.yaml beside this file, was
collected and labelled afterwards, and says of each entry to which part it belongs.

An entry counts as named where the verdict is no *unknown*, its family belongs to the class that the thread
established, and one of the entry's words is in what the verdict says of the cause (never in the line that it
quotes). The words alone decide where the class says nothing (`other`), or nobody has mapped it. Where the
thread established nothing, only *unknown* is right. Wrong certainties are those that were called likely.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections import Counter
from pathlib import Path

import yaml

from envguard import api
from envguard.model.diagnosis import Certainty, Verdict

# written on the part that was not set aside: a class that is only in the other part is in none of them
FAMILIES = {
    "no_kernel_image": {"no-kernel-image"},
    "illegal_instruction": {"illegal-instruction"},
    "cpu_build": {"cpu-build"},
    "glibcxx_glibc": {"glibcxx", "glibc"},
    "cudnn_mismatch_or_missing": {"cudnn"},
    "device_assert": {"device-assert"},
    "mps_or_macos": {"macos"},
    "wsl_or_container_no_gpu": {"container-gpu", "no-gpu-visible"},
    "openmp_duplicate": {"openmp"},
    "torchvision_mismatch": {"torchvision"},
    "oom_gpu": {"gpu-memory"},
    "ipykernel_or_zmq": {"jupyter"},
    "heap_corruption": {"heap"},
    "abi_extension": {"extension-abi"},
    "nvjitlink_shadowed": {"nvjitlink"},
    "numpy2_abi": {"numpy-abi"},
    "ptx_toolchain": {"ptx-toolchain"},
    "forward_compat_804": {"forward-compat"},
    "xid_hardware": {"hardware"},
    "import_order": {"import-order", "static-tls"},
    "protobuf": {"protobuf"},
    "oom_host": {"host-memory"},
    "pip_over_conda": {"pip-over-conda"},
    "driver_mismatch_803": {"driver-mismatch"},
    "nccl": {"nccl", "shared-memory"},
    "wheel_default_cuda13": {"driver-too-old"},
    "cuda_illegal_access": {"illegal-access"},
    "driver_too_old": {"driver-too-old"},
    "shm": {"shared-memory"},
    "disk_full": {"disk-full"},
    "file_handles": {"file-handles"},
    "cuda_library_missing": {"cuda-libraries", "extension-abi"},
}
MORE = Path(__file__).with_name("deaths_more.yaml")
Entry = dict[str, object]


def is_held_out(url: str) -> bool:
    """Whether an entry belongs to the third that nothing is tuned on, by the repository of its thread."""
    repository = "/".join(url.split("/")[3:5]).lower()
    return int(hashlib.sha256(repository.encode()).hexdigest(), 16) % 3 == 0


def read(part: str, wanted_set: str = "first") -> list[Entry]:
    """The entries of a part (`tuned`, `held-out` or `all`) of a set (`first`, `second` or `all`)."""
    entries: list[Entry] = []
    if wanted_set != "second":
        place = Path(os.environ.get("ENVGUARD_TEST_DATA", "../shared"))
        first = yaml.safe_load((place / "corpus" / "deaths.yaml").read_text(encoding="utf-8"))
        entries += [{"part": _part_of(entry["url"]), **entry} for entry in first]
    if wanted_set != "first":
        more = yaml.safe_load(MORE.read_text(encoding="utf-8"))
        entries += [
            {**entry, "part": "held-out" if entry["part"] == "held-out" else "tuned"}
            for entry in more
        ]
    return [entry for entry in entries if part in ("all", entry["part"])]


def _part_of(url: str) -> str:
    return "held-out" if is_held_out(url) else "tuned"


def diagnosed(entry: Entry) -> Verdict:
    code = entry.get("exit_code")
    signal = entry.get("signal")
    return api.diagnose_text(
        str(entry["text"]),
        exit_code=code if isinstance(code, int) else None,
        signal=str(signal) if signal else None,
    ).verdict


def is_named(entry: Entry, verdict: Verdict) -> bool:
    class_, words = str(entry["cause_class"]), entry["words"]
    if class_ == "unknown":
        return verdict.certainty is Certainty.UNKNOWN
    if verdict.certainty is Certainty.UNKNOWN:
        return False
    families = FAMILIES.get(class_)
    if families is not None and verdict.family not in families:
        return False
    said = " ".join((verdict.cause or "", *verdict.candidates)).lower()
    assert isinstance(words, list)
    return any(str(word).lower() in said for word in words)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--set", choices=("first", "second", "all"), default="all")
    parser.add_argument("--part", choices=("tuned", "held-out", "all"), default="all")
    parser.add_argument("--show", action="store_true", help="tell those that were not named")
    options = parser.parse_args()
    entries = read(options.part, options.set)
    verdicts = [diagnosed(entry) for entry in entries]
    named = [is_named(*pair) for pair in zip(entries, verdicts, strict=True)]
    by_class = Counter(str(entry["cause_class"]) for entry in entries)
    right = Counter(
        str(entry["cause_class"]) for entry, ok in zip(entries, named, strict=True) if ok
    )
    for class_, count in by_class.most_common():
        mapped = (
            "" if class_ in FAMILIES or class_ in ("other", "unknown") else "  (by words alone)"
        )
        print(f"{class_:28} {right[class_]:3} of {count:3}{mapped}")
    wrong = [
        (entry, verdict)
        for entry, verdict, ok in zip(entries, verdicts, named, strict=True)
        if not ok and verdict.certainty is Certainty.LIKELY
    ]
    total = len(entries)
    print(
        f"\n{options.set}, {options.part}: named {sum(named)} of {total} ({100 * sum(named) / total:.0f} %)"
    )
    print(f"wrong and called likely: {len(wrong)} of {total} ({100 * len(wrong) / total:.1f} %)")
    if options.show:
        for entry, verdict, ok in zip(entries, verdicts, named, strict=True):
            if not ok:
                print(
                    f"  {entry['id']}: {entry['cause_class']}; {verdict.certainty} {verdict.signature}"
                )


if __name__ == "__main__":
    sys.exit(main())
