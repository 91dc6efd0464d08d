"""Facts, rules and findings do not change after they were made: what a check was given, the report shows."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import is_dataclass

import pytest

import envguard.checks
import envguard.model

MODULES = [
    name
    for package in (envguard.model, envguard.checks)
    for _, name, _ in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
]


@pytest.mark.parametrize("name", MODULES)
def test_every_dataclass_is_frozen(name: str) -> None:
    members = vars(importlib.import_module(name)).values()
    values = [m for m in members if isinstance(m, type) and is_dataclass(m)]
    assert [m.__name__ for m in values if not m.__dataclass_params__.frozen] == []  # type: ignore[attr-defined]
