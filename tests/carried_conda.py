"""`python -m tests.carried_conda ARGUMENTS`: the conda that conda-lock carries, as a program of its own."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

CARRIED = "conda_lock._vendor.conda"


class Alias(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """`conda.x` is the module `conda_lock._vendor.conda.x`, and no second one."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.split(".")[0] != "conda":
            return None
        return importlib.util.spec_from_loader(fullname, self)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(CARRIED + spec.name.removeprefix("conda"))
        self.own = module.__spec__, module.__loader__, module.__package__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__, module.__loader__, module.__package__ = self.own


if __name__ == "__main__":  # conda starts processes of its own, which import this again
    sys.meta_path.insert(0, Alias())
    sys.argv[0] = "conda"
    main = importlib.import_module("conda.cli.main").main
    sys.exit(main(*sys.argv[1:]))
