"""What a project has decided once, and what becomes of answers by it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envguard.model.configuration import Configuration
    from envguard.model.knowledge import Knowledge
    from envguard.model.report import Report


def find_configuration(
    whats: Sequence[str | Path] = (), *, prefix: Path | None = None
) -> Configuration:
    """The configuration for what is checked or locked: the nearest from its folder upward.

    Several have that of the folder they have in common; what has no path (`-`, an image, `-n`, what is here)
    has that of the working directory. Without one an empty Configuration. Raises InputError for a mistake.
    """
    from envguard.adapters import configuration

    return configuration.find_configuration(configuration.folder_of(whats, prefix))


def read_configuration(path: Path) -> Configuration:
    """The configuration in a YAML file, or in `[tool.envguard]` of a TOML file. Raises InputError."""
    from envguard.adapters import configuration

    return configuration.read_configuration(path)


def knowledge_for(configuration: Configuration, rules_of: Path | None = None) -> Knowledge:
    """What the rules know, with those of the configuration's folders and of `rules_of` beside them."""
    from envguard.adapters import rules

    knowledge = rules.load()
    folders = [*configuration.rules, *([rules_of] if rules_of is not None else [])]
    for folder in {path.resolve(): path for path in folders}.values():
        knowledge = rules.with_rules_of(knowledge, folder)
    return knowledge


def with_known_waivers(configuration: Configuration, knowledge: Knowledge) -> Configuration:
    """The configuration with the ids of the rules that its waivers name.

    Raises InputError for a rule that there is not, with the nearest.
    """
    from dataclasses import replace

    from envguard.adapters import rules
    from envguard.checks.waivers import known_waivers

    if not configuration.waivers:
        return configuration
    names = {rule: rule for rule in rules.known_ids(knowledge)}
    if any(waiver.rule not in names for waiver in configuration.waivers):
        names = rules.ids_by_name(knowledge)  # aliases are in the files of all explanations
    return replace(configuration, waivers=known_waivers(configuration.waivers, names))


def waived(
    reports: Sequence[Report], configuration: Configuration, today: date | None = None
) -> tuple[Report, ...]:
    """The reports with what the configuration waives; `today` None = the day in UTC."""
    from functools import partial

    from envguard.adapters import configuration as adapter
    from envguard.checks.waivers import waive

    names = partial(adapter.names_of, configuration=configuration.path)
    return waive(reports, configuration, today=today or adapter.today(), names=names)
