"""What the rules know."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from envguard.api.configuring import knowledge_for
from envguard.api.machines import resolve_targets, target_here
from envguard.model.configuration import NO_CONFIGURATION, Configuration

if TYPE_CHECKING:
    from envguard.model.explanation import Answer
    from envguard.model.rule import Rule
    from envguard.model.signature import Signatures


def why(
    what: str,
    *,
    lock: Path | None = None,
    targets: Sequence[str] = (),
    name: str | None = None,
    prefix: Path | None = None,
    directory: Path | None = None,
    configuration: Configuration = NO_CONFIGURATION,
) -> Answer:
    """What a rule's id means, why a package is here, or what is known of a spec. Asks no network.

    A package is looked for in `lock`, `name` or `prefix`, else in conda-lock.yml here, else in the active
    environment; a spec needs none of them. `directory` holds rules of the user's own; `configuration` may
    have targets and rules. Raises InputError for what is nothing of these.
    """
    from envguard.adapters import rules, subjects
    from envguard.adapters.rule_sets import explanations_in
    from envguard.commands import why as commands
    from envguard.commands.why_places import places_of

    knowledge = knowledge_for(configuration)
    if directory is not None:
        knowledge = rules.with_rules_of(knowledge, directory)
    told = explanations_in(rules.rule_set())
    told = commands.all_explanations(told, knowledge)
    rule = commands.explain_rule(what, told)
    if rule is not None:
        return rule
    spec = commands.parse_question(what)
    said = resolve_targets(targets, configuration=configuration)
    found = subjects.subject_here(
        lock, name=name, prefix=prefix, or_active=commands.is_package(spec)
    )
    machines = said or (() if commands.is_package(spec) else (target_here(),))
    ground = commands.Ground(told, knowledge, targets=machines)
    if found is not None:
        path, subject = found
        places = places_of(subject, path, said, knowledge=knowledge, here=target_here)
        ground = commands.Ground(told, knowledge, path, places, machines)
    return commands.answer(what, spec, ground)


def list_rules(directory: Path | None = None) -> tuple[Rule, ...]:
    """Our rules and those of a folder; raises InputError for a mistake in one of them."""
    from envguard.adapters import rules

    knowledge = rules.load()
    return (rules.with_rules_of(knowledge, directory) if directory else knowledge).rules


def failed_rule_examples(directory: Path | None = None) -> tuple[str, ...]:
    """A line for each example of a rule or signature that is not answered as it says."""
    from envguard.adapters import rules
    from envguard.checks.rule_examples import failed_examples
    from envguard.checks.signatures import failed_signature_examples, unknown_rules

    knowledge, signatures = rules.load(), rules.signatures().signatures
    return (
        *failed_examples(list_rules(directory), knowledge),
        *failed_signature_examples(signatures),
        *unknown_rules(signatures, rules.known_ids(knowledge)),
    )


def signatures() -> Signatures:
    """What is known of logs: signatures and error codes; raises InputError for a mistake in one of them."""
    from envguard.adapters import rules

    return rules.signatures()


def rule_mistakes(directory: Path | None = None) -> tuple[str, ...]:
    """Every mistake in every rule file of a folder (None = ours), as `file:line: key: what`."""
    from envguard.adapters import rules

    return rules.mistakes_in(directory or rules.rules_directory())
