"""One voice: what verbs share stands at the same place of their help, in the same words."""

from __future__ import annotations

import click
import pytest

from envguard.cli.main import VERBS, cli

ALL = [verb for verbs in VERBS.values() for verb in verbs]
ORDER = (
    "-n --name", "-p --prefix", "--python", "--for", "--allow", "--fail-on", "--mirror", "--offline",
    "--condarc", "--no-condarc", "--config", "--no-config", "--format", "-o --output", "-v --verbose",
)  # fmt: skip
SAME = ("--for", "--condarc", "--no-condarc", "--config", "--no-config", "--format")


def options(verb: str) -> dict[str, click.Option]:
    command = cli.get_command(click.Context(cli), verb)
    assert command is not None
    return {" ".join(o.opts): o for o in command.params if isinstance(o, click.Option)}


@pytest.mark.parametrize("verb", ALL)
def test_shared_options_stand_in_one_order(verb: str) -> None:
    found = [name for name in options(verb) if name in ORDER]
    assert found == [name for name in ORDER if name in found]


@pytest.mark.parametrize("verb", ALL)
def test_what_is_the_verbs_own_stands_between(verb: str) -> None:
    names = list(options(verb))
    own = [names.index(name) for name in names if name not in ORDER]
    first = [names.index(name) for name in ORDER[:4] if name in names]
    last = [names.index(name) for name in ORDER[4:] if name in names]
    assert max(first, default=-1) < min(own, default=99)
    assert max(own, default=-1) < min(last, default=99)


@pytest.mark.parametrize("name", SAME)
def test_shared_options_say_the_same(name: str) -> None:
    said = {found[name].help for verb in ALL if name in (found := options(verb))}
    assert len(said) == 1
    assert None not in said


@pytest.mark.parametrize("verb", ALL)
def test_names_and_letters_mean_the_same(verb: str) -> None:
    found = options(verb)
    for name, metavar in (("-n --name", "NAME"), ("-p --prefix", "PREFIX")):
        assert name not in found or found[name].metavar == metavar
    assert "--yes" not in found
    if allow := found.get("--allow"):
        assert (allow.help or "").endswith("Repeatable.")
        assert isinstance(allow.type, click.Choice)
        for word in allow.type.choices:
            assert f"{word}:" in (allow.help or "")
