"""Before a wheel is built, also an editable one: the rules in the form that is read quickly."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompiledRules(BuildHookInterface):  # type: ignore[type-arg, misc]
    """Writes rules/compiled.json, which goes into the wheel with them; a mistake in a rule ends the build."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        sys.path.insert(0, self.root)
        from envguard.adapters.rule_sets import RulesOnDisk

        RulesOnDisk(Path(self.root) / "rules").compile()
