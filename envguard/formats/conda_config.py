"""The settings of all .condarc files together, as what they mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from envguard.errors import InputError
from envguard.formats.condarc import KINDS
from envguard.model.channel import CHANNEL_ALIAS, ChannelNames, channel_mistake
from envguard.model.conda_config import (
    ChannelPolicy,
    ChannelPriority,
    CondaConfig,
    ListedChannel,
)
from envguard.model.condarc import Condarc, Item, merged
from envguard.model.network import Network
from envguard.model.secrets import redacted, without_credentials

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_CHANNELS = (
    *("channels", "default_channels", "channel_alias", "custom_channels", "custom_multichannels"),
    *("allowlist_channels", "denylist_channels"),
)
_FOLDERS = ("pkgs_dirs", "envs_dirs")
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")
_OWN_PATIENCE = "how long a silent server is waited for is envguard's own affair"
_NOT_OBEYED = {
    "pinned_packages": "pins are not taken: write them into the environment.yml",
    "disallowed_packages": "packages are not refused by it",
    "create_default_packages": "nothing is added: list it in the environment.yml",
    "track_features": "features are not known here",
    "restore_free_channel": "pkgs/free is not added",
    "use_local": "the channel of conda-build is not added: -c file:///path/conda-bld",
    "use_only_tar_bz2": ".conda packages are taken all the same",
    "migrated_channel_aliases": "old aliases are not rewritten",
    "migrated_custom_channels": "old channels are not rewritten",
    "channel_settings": "settings of single channels are not read",
    "client_ssl_cert": "client certificates are not used",
    "client_cert": "client certificates are not used",
    "exclude_newer": "all builds count, however new",
    "exclude_packages": "no package is left out",
    "remote_connect_timeout_secs": _OWN_PATIENCE,
    "remote_read_timeout_secs": _OWN_PATIENCE,
    "remote_max_retries": "a request is repeated three times",
    "remote_backoff_factor": "the pauses between two tries are envguard's own",
    "override_virtual_packages": "the machine is the one of --for",
}
"""Keys that change what conda would choose or could reach, and what envguard does instead."""


def conda_config(files: Sequence[Condarc], variables: Mapping[str, str]) -> CondaConfig:
    """What holds; raises InputError with `file:line: key: what` for values that nobody can obey."""
    reader = _Reader(files, variables)
    names = ChannelNames(
        alias=reader.alias(),
        defaults=tuple(reader.texts("default_channels")) or None,
        custom=reader.pairs("custom_channels"),
        multichannels=reader.lists("custom_multichannels"),
    )
    network = reader.network(names)
    config = CondaConfig(
        channels=tuple(reader.texts("channels")),
        names=names,
        policy=reader.policy(names),
        priority=reader.priority(),
        network=network,
        pkgs_dirs=tuple(reader.texts("pkgs_dirs")),
        envs_dirs=tuple(reader.texts("envs_dirs")),
        offline=reader.flag("offline", default=False),
        adds_pip=reader.flag("add_pip_as_python_dependency", default=True),
        adds_tokens=reader.flag("add_anaconda_token", default=True),
        places=tuple(file.path for file in files if file.settings),
    )
    reader.note_what_is_not_obeyed()
    if reader.problems:
        raise InputError(
            "the configuration of conda cannot be followed",
            problems=tuple(reader.problems),
            hint="mend the lines above, or read no such file: --no-condarc",
        )
    return replace(config, taken=tuple(reader.taken()), notes=tuple(dict.fromkeys(reader.notes)))


@dataclass(slots=True)
class _Reader:
    files: Sequence[Condarc]
    variables: Mapping[str, str]
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _merged: dict[str, tuple[Item, ...]] = field(default_factory=dict)

    def items(self, key: str) -> tuple[Item, ...]:
        if key not in self._merged:
            told = [file.settings[key] for file in self.files if key in file.settings]
            items = [replace(item, text=self.expanded(item, key)) for item in merged(told)]
            self._merged[key] = tuple(
                item for item in items if key not in _CHANNELS or self.is_channel(item, key)
            )
        return self._merged[key]

    def is_channel(self, item: Item, key: str) -> bool:
        """Whether it can be one; what cannot is told."""
        mistake = channel_mistake(item.text)
        if mistake is not None:
            self.problem(item, key, f"{item.text!r} {mistake}")
        return mistake is None

    def expanded(self, item: Item, key: str) -> str:
        """The text with $NAME and ${NAME} replaced; a variable that is not set stays, as conda has it."""

        def value(match: re.Match[str]) -> str:
            name = match[1] or match[2]
            if name not in self.variables:
                self.notes.append(f"{item.place}: {key}: the variable {name} is not set")
            return self.variables.get(name, match[0])

        return _VARIABLE.sub(value, item.text)

    def texts(self, key: str) -> list[str]:
        for item in self.items(key):
            if key not in _FOLDERS and " " in item.text:  # two lines, one of them indented further
                self.problem(item, key, f"{item.text!r} is no channel: there is a space in it")
        return [item.text for item in self.items(key)]

    def pairs(self, key: str) -> dict[str, str]:
        return {item.key or "": item.text for item in self.items(key)}

    def lists(self, key: str) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for item in self.items(key):
            found[item.key or ""] = (*found.get(item.key or "", ()), item.text)
        return found

    def alias(self) -> str:
        for item in self.items("channel_alias"):
            if "://" in item.text:
                return item.text.rstrip("/")
            self.problem(item, "channel_alias", "a URL with https:// is expected")
        return CHANNEL_ALIAS

    def flag(self, key: str, *, default: bool) -> bool:
        for item in self.items(key):
            if item.text.lower() in (*_TRUE, *_FALSE):
                return item.text.lower() in _TRUE
            self.problem(item, key, f"{item.text!r} is neither true nor false")
        return default

    def priority(self) -> ChannelPriority:
        """Strict where nobody says: a package of a channel further down never wins by its version."""
        for item in self.items("channel_priority"):
            word = item.text.lower()
            if word in _TRUE or word in _FALSE:
                return ChannelPriority.FLEXIBLE if word in _TRUE else ChannelPriority.DISABLED
            if word in set(ChannelPriority):
                return ChannelPriority(word)
            self.problem(
                item, "channel_priority", f"{item.text!r} is none of strict, flexible, disabled"
            )
        return ChannelPriority.STRICT

    def policy(self, names: ChannelNames) -> ChannelPolicy:
        allowed = self.listed("allowlist_channels", names)
        return ChannelPolicy(allowed or None, self.listed("denylist_channels", names))

    def listed(self, key: str, names: ChannelNames) -> tuple[ListedChannel, ...]:
        return tuple(
            ListedChannel(without_credentials(url).rstrip("/"), redacted(item.text), item.place)
            for item in self.items(key)
            for url in dict.fromkeys(
                (*names.urls(item.text, subdir="linux-64"), *names.urls(item.text, subdir="win-64"))
            )
        )

    def network(self, names: ChannelNames) -> Network:
        verify, certificates = self.certificates()
        no_proxy = self.variables.get("no_proxy") or self.variables.get("NO_PROXY") or ""
        return Network(
            proxies=self.proxies(),
            no_proxy=tuple(host.strip() for host in no_proxy.split(",") if host.strip()),
            verify=verify,
            certificates=certificates,
            mirrors=self.mirrors(names),
            credentials=_credentials(self.channel_texts(), names),
        )

    def channel_texts(self) -> list[str]:
        """Whatever may hold a channel with its credentials."""
        custom = [f"{name}" for name in self.pairs("custom_channels")]
        several = [*self.lists("custom_multichannels"), "defaults"]
        return [*self.texts("channels"), *custom, *several]

    def certificates(self) -> tuple[bool, str | None]:
        for item in self.items("ssl_verify"):
            if item.text.lower() in _FALSE:
                self.notes.append(
                    f"{item.place}: ssl_verify: certificates are not checked; hashes of packages are, "
                    "but not who made the list of them"
                )
                return False, None
            if item.text.lower() not in (*_TRUE, "truststore", "<system>"):
                return True, item.text
        bundles = (self.variables.get(name) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"))
        ours = self.variables.get("SSL_CERT_FILE") or self.variables.get("SSL_CERT_DIR")
        return True, None if ours else next((b for b in bundles if b), None)

    def proxies(self) -> dict[str, str]:
        proxies = {}
        for item in self.items("proxy_servers"):
            if item.key in ("http", "https"):
                proxies[item.key] = item.text if "://" in item.text else f"http://{item.text}"
            else:
                self.note(item, f"proxy_servers.{item.key}", "only http and https are obeyed")
        return proxies

    def mirrors(self, names: ChannelNames) -> dict[str, tuple[str, ...]]:
        found = {}
        for name, urls in self.lists("mirrored_channels").items():
            usable = tuple(u.rstrip("/") for u in urls if urlsplit(u).scheme in ("http", "https"))
            if len(usable) < len(urls):
                self.notes.append(
                    f"mirrored_channels.{name}: only http:// and https:// mirrors are read"
                )
            for canonical in names.urls(name, subdir="linux-64") if usable else ():
                found[without_credentials(canonical)] = usable
        return found

    def note_what_is_not_obeyed(self) -> None:
        for file in self.files:
            for key, place in file.other.items():
                if key in _NOT_OBEYED:
                    self.notes.append(f"{place}: {key}: {_NOT_OBEYED[key]}")

    def taken(self) -> list[str]:
        return [f"{key}: {_shown(items)}" for key in KINDS if (items := self.items(key))]

    def note(self, item: Item, key: str, what: str) -> None:
        self.notes.append(f"{item.place}: {key}: {what}")

    def problem(self, item: Item, key: str, what: str) -> None:
        self.problems.append(redacted(f"{item.place}: {key}: {what}"))


def _shown(items: Sequence[Item]) -> str:
    told = (f"{item.key}={item.text}" if item.key else item.text for item in items)
    places = ", ".join(dict.fromkeys(item.place for item in items))
    return f"{redacted(', '.join(told))}   ({places})"


def _credentials(texts: Sequence[str], names: ChannelNames) -> dict[str, str]:
    """URLs without credentials to those with them, for channels that were written with some."""
    urls = {url for text in texts for url in names.urls(text, subdir="win-64")} | {names.alias}
    plain: Callable[[str], str] = without_credentials
    return {
        plain(url).rstrip("/"): url for url in urls if plain(url).rstrip("/") != url.rstrip("/")
    }
