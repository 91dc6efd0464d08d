"""What can be imported here? Answered without importing any of it."""

import ast
import importlib.util
import os
import sys


def main(probe):
    found = [name for name in probe.arguments["modules"] if _spec(name) is not None]
    probe.value("python", ".".join(map(str, sys.version_info[:3])))
    probe.value("modules", " ".join(found))
    if found:
        probe.value("compiled", _is_compiled(_spec(found[-1])))
    if "torch" in found:
        for name, value in _torch_build(_spec("torch")).items():
            probe.value(name, value)


def _spec(name):
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError):  # ValueError: __spec__ is None
        return None


def _is_compiled(spec):
    """Whether whoever installed it left .pyc files beside it."""
    if not spec.origin or not spec.origin.endswith(".py"):
        return False
    ours, sys.pycache_prefix = sys.pycache_prefix, None
    try:
        return os.path.exists(importlib.util.cache_from_source(spec.origin))
    finally:
        sys.pycache_prefix = ours


def _torch_build(spec):
    """The assignments of torch/version.py, which names the CUDA and ROCm of the build."""
    path = os.path.join(os.path.dirname(spec.origin or ""), "version.py")
    try:
        with open(path, encoding="utf-8") as stream:
            tree = ast.parse(stream.read())
    except (OSError, SyntaxError, ValueError):
        return {}
    values = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        if isinstance(targets[0], ast.Name) and isinstance(value, ast.Constant):
            values[targets[0].id] = value.value
    names = {"__version__": "torch_version", "cuda": "torch_cuda", "hip": "torch_hip"}
    return {ours: values[theirs] for theirs, ours in names.items() if theirs in values}
