"""Which shared libraries do the frameworks load, and what do those want of others? Linux, 64-bit.

Read from /proc/self/maps and from the files' dynamic sections, as https://refspecs.linuxfoundation.org/elf/gabi4+/
and https://refspecs.linuxfoundation.org/LSB_1.3.0/gLSB/gLSB/symverrqmts.html have them.
"""

import importlib
import json
import mmap
import os
import re
import site
import struct
import sys

PT_LOAD, PT_DYNAMIC = 1, 2
NEEDED, STRTAB, SONAME = 1, 5, 14
VERDEF, VERDEFNUM, VERNEED, VERNEEDNUM = 0x6FFFFFFC, 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF
MOST = 10000
"""More entries than that has no file that is sound."""
LIBRARY = re.compile(r"\.so(\.|$)|\.so-")


def main(probe):
    if not os.path.exists("/proc/self/maps"):
        probe.nothing_to_do("loaded libraries are read from /proc, which is not here")
        return
    seen = set()
    probe.value("prefix", os.path.realpath(sys.prefix))
    probe.value("python", os.path.dirname(os.path.dirname(os.path.realpath(os.__file__))))
    probe.value("user site", site.getusersitepackages() if site.ENABLE_USER_SITE else None)
    probe.value("own GLIBCXX", own_glibcxx())
    report(probe, seen, "python")
    for name in probe.arguments["modules"]:
        probe.stage("import " + name)
        try:
            importlib.import_module(name)
        finally:
            report(probe, seen, name)
    for name, use in USES.items():
        if name in sys.modules:
            probe.stage("use " + name)
            use(sys.modules[name], probe.arguments["device"])
            report(probe, seen, name)


def use_numpy(numpy, _device):
    numpy.ones((8, 8)) @ numpy.ones((8, 8))


def use_torch(torch, device):
    """What is loaded late: cuBLAS, and cuDNN with its parts."""
    x = torch.ones(1, 1, 8, 8, device=device)
    torch.matmul(x, x)
    torch.nn.functional.conv2d(x, x)


USES = {"numpy": use_numpy, "torch": use_torch}


def report(probe, seen, module):
    """Tell of what was not there before `module`."""
    for path in mapped_files():
        if path not in seen:
            seen.add(path)
            facts = dict(read_library(path), path=path, module=module)
            probe.value("library %d" % len(seen), json.dumps(facts))


def mapped_files():
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as stream:
        fields = [line.rstrip("\n").split(None, 5) for line in stream]
    paths = {f[5] for f in fields if len(f) == 6 and "x" in f[1]}
    return sorted(p for p in paths if p.startswith("/") and LIBRARY.search(os.path.basename(p)))


def own_glibcxx():
    """The newest GLIBCXX of the libstdc++ that lies in the prefix; None where there is none."""
    return read_library(os.path.join(sys.prefix, "lib", "libstdc++.so.6")).get("has_glibcxx")


def read_library(path):
    """Names from the dynamic section; nothing where the file is gone or is laid out otherwise."""
    try:
        with open(path, "rb") as stream:
            data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):
        return {}
    with data:
        try:
            return _facts(data)
        except (struct.error, ValueError, KeyError, IndexError):
            return {}


def _facts(data):
    if data[:6] != b"\x7fELF\x02\x01":
        return {}
    loads, dynamic = _segments(data)
    tags = {}
    for tag, value in struct.iter_unpack("<qQ", dynamic):
        tags.setdefault(tag, []).append(value)
    names = _offset(loads, tags[STRTAB][0])

    def text(at):
        start = names + at
        return data[start : data.find(b"\0", start)].decode("utf-8", "replace")

    defined = list(_versions(data, loads, tags, (VERDEF, VERDEFNUM), "<HHHHIII", 5, text))
    wanted = list(_versions(data, loads, tags, (VERNEED, VERNEEDNUM), "<HHIII", 3, text))
    return {
        "soname": text(tags[SONAME][0]) if SONAME in tags else None,
        "needed": [text(at) for at in tags.get(NEEDED, ())],
        "has_glibcxx": _newest(defined),
        "wants_glibcxx": _newest(wanted),
    }


def _segments(data):
    """(address, offset, size) of what is loaded, and the bytes of the dynamic section."""
    (start,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    loads, dynamic = [], b""
    for index in range(count):
        kind, _, offset, address, _, in_file = struct.unpack_from(
            "<IIQQQQ", data, start + index * size
        )
        if kind == PT_LOAD:
            loads.append((address, offset, in_file))
        elif kind == PT_DYNAMIC:
            dynamic = data[offset : offset + in_file // 16 * 16]
    return loads, dynamic


def _offset(loads, address):
    for start, offset, size in loads:
        if start <= address < start + size:
            return offset + address - start
    raise ValueError("an address in no segment")


def _versions(data, loads, tags, kinds, layout, aux_field, text):
    """Names of symbol versions. Each entry has some; where they and the next entry are is relative."""
    table, number = kinds
    if table not in tags:
        return
    at = _offset(loads, tags[table][0])
    for _ in range(min(tags[number][0], MOST)):
        entry = struct.unpack_from(layout, data, at)
        count, aux, following = entry[3 if table == VERDEF else 1], entry[aux_field], entry[-1]
        name_at = at + aux
        for _ in range(min(count, MOST)):
            if table == VERDEF:
                name, step = struct.unpack_from("<II", data, name_at)
            else:
                _, _, _, name, step = struct.unpack_from("<IHHII", data, name_at)
            yield text(name)
            name_at += step
        at += following


def _newest(names):
    found = [name[8:] for name in names if re.match(r"GLIBCXX_\d+(\.\d+)*$", name)]
    return max(found, key=lambda v: [int(part) for part in v.split(".")], default=None)
