"""What the solver is asked for each subdir: channels, specs, and what conda adds to them by itself."""

from __future__ import annotations

from envguard.commands.locking.channels import refuse_channels
from envguard.errors import InputError
from envguard.model.conda import parse_match_spec
from envguard.model.conda_config import CondaConfig
from envguard.model.environment import Environment
from envguard.model.secrets import without_credentials
from envguard.model.target import VirtualPackage
from envguard.ports.solver import SolveRequest

DEFAULT_CHANNEL = "conda-forge"
PLAIN = CondaConfig()


def solve_request(
    environment: Environment,
    subdir: str,
    packages: tuple[VirtualPackage, ...],
    config: CondaConfig = PLAIN,
) -> SolveRequest:
    """The request for the lines that hold for `subdir`.

    Raises InputError where no channel is left, and for channels that `config` does not allow.
    """
    selected = environment.for_subdir(subdir)
    specs = tuple(dependency.spec for dependency in selected.dependencies)
    return SolveRequest(
        subdir=subdir,
        channels=_channel_urls(selected, subdir, config),
        specs=specs + (("pip",) if adds_pip(selected) else ()),
        virtual_packages=packages,
    )


def adds_pip(environment: Environment) -> bool:
    """Whether a `pip:` section stands without pip or python: conda adds pip then, which brings python."""
    names = {parse_match_spec(dependency.spec).name for dependency in environment.dependencies}
    return bool(environment.pip) and not names & {"pip", "python"}


def request_notes(environment: Environment) -> tuple[str, ...]:
    """What was added to the request that the file does not say."""
    notes = []
    if not environment.channels:
        notes.append(
            f"the file names no channel: {DEFAULT_CHANNEL} is used (`channels:` or -c says another)"
        )
    if adds_pip(environment):
        notes.append("a `pip:` section without `- python` or `- pip`: pip is added, as conda does")
    return tuple(notes)


def _channel_urls(environment: Environment, subdir: str, config: CondaConfig) -> tuple[str, ...]:
    """The channels of the file in their order, then those that only a spec names, as conda has it."""
    named = environment.channels or (DEFAULT_CHANNEL,)
    urls = [url for channel in named for url in config.names.urls(channel, subdir=subdir)]
    for dependency in environment.dependencies:
        channel = parse_match_spec(dependency.spec).channel
        if channel is not None:
            urls += config.names.urls(
                channel.removesuffix(f"/{subdir}").removesuffix("/noarch"), subdir=subdir
            )
    if not urls:
        raise InputError(
            f"{environment.path}: channels: only `nodefaults`, which names no channel",
            hint="add one: channels: [conda-forge, nodefaults]",
        )
    refuse_channels(urls, config.policy)
    first = {without_credentials(url): url for url in reversed(urls)}
    return tuple(first[key] for key in dict.fromkeys(map(without_credentials, urls)))
