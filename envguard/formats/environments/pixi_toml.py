"""An Environment as a pixi.toml: https://pixi.sh/latest/reference/pixi_manifest/"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from envguard.model.channel import channel_name, channel_urls
from envguard.model.conda import parse_match_spec
from envguard.model.environment import Dependency, Environment, selector_holds
from envguard.model.subdir import SUBDIRS

_COMMIT = re.compile(
    r"git\+(?P<url>[^@#]+(?:@[^@/#]+/[^@#]+)?)(?:@(?P<rev>[^@#/]+))?(?:#(?P<rest>.*))?\Z"
)
_EGG = re.compile(r"git\+\S+[#&]egg=([A-Za-z0-9._-]+(?:\[[^\]\s]+\])?)")
"""The name, and the extras, that older lines have in the URL."""
_OPTION = re.compile(
    r"(--index-url|-i|--extra-index-url|--find-links|-f|-e|--editable)[=\s]\s*(\S.*)\Z"
)
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\Z")
_ARCHIVE = re.compile(r"(\w+://\S+(?:\.conda|\.tar\.bz2))(?:#([0-9a-fA-F]{32}))?\Z")
_ANY = '"*"'
_KEY = re.compile(r"[A-Za-z0-9_-]+\Z")
_CUDA = re.compile(r"cuda(\d{2,3}|\d+\.\d+)")
Entry = Callable[[str], tuple[str, str] | None]
"""A line to a key and the TOML of its value; None where there is no place for it."""


def dump_pixi_toml(
    environment: Environment, platforms: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    """The manifest, and what of the environment has no place in it.

    `platforms` are those it is for, where the environment names none.
    """
    platforms = environment.platforms or tuple(platforms)
    notes: list[str] = []
    lines = [
        "[workspace]",
        f"name = {_text(environment.name or 'environment')}",
        f"channels = {_list(_channels(environment, platforms))}",
        f"platforms = {_list(platforms)}",
    ]
    cuda = _cuda(environment)
    if cuda is not None:
        lines += ["", "[system-requirements]", f"cuda = {_text(cuda)}"]
    lines += _tables(environment.dependencies, platforms, "dependencies", notes, _conda)
    lines += _pip_options(environment.pip)
    plain = tuple(line for line in environment.pip if not _is_option(line.spec))
    lines += _tables(plain, platforms, "pypi-dependencies", notes, _pypi)
    if environment.variables:
        pairs = [f"{_key(k)} = {_text(v)}" for k, v in environment.variables.items()]
        lines += ["", "[activation.env]", *pairs]
    return "\n".join(lines) + "\n", tuple(notes)


def _channels(environment: Environment, platforms: Sequence[str]) -> list[str]:
    """pixi knows no `defaults` and adds no channel by itself."""
    subdir = next((p for p in platforms if p.startswith("win-")), "linux-64")
    specs = [parse_match_spec(line.spec) for line in environment.dependencies]
    named = [_place(spec.channel)[0] for spec in specs if spec.channel is not None]
    names = [name for c in environment.channels for name in _as_pixi_has_it(c, subdir)]
    names = names or ["conda-forge"]
    return list(dict.fromkeys([*names, *(n for c in named for n in _as_pixi_has_it(c, subdir))]))


def _as_pixi_has_it(channel: str, subdir: str) -> tuple[str, ...]:
    """A channel by the name or the URLs that pixi finds: to it every name is one of conda.anaconda.org."""
    if channel in ("defaults", "nodefaults"):
        return channel_urls(channel, subdir=subdir)
    name = channel_name(channel)
    return channel_urls(name, subdir=subdir) if name.startswith("pkgs/") else (name,)


def _place(channel: str) -> tuple[str, str | None]:
    """`conda-forge/linux-64` is a channel and a subdir."""
    name, _, last = channel_name(channel).rpartition("/")
    return (name, last) if name and last in (*SUBDIRS, "noarch") else (channel_name(channel), None)


def _cuda(environment: Environment) -> str | None:
    """The CUDA that a GPU build wants the driver to know: without it pixi takes the machine for one without.

    Its major version: drivers run all of a major from its first release on.
    """
    for line in environment.dependencies:
        spec = parse_match_spec(line.spec)
        told = spec.version if spec.name in ("cuda-version", "pytorch-cuda") else None
        match = _CUDA.search(spec.build or "")
        digits = re.search(r"\d+", told or "")
        if match or digits:
            return _major(match[1]) if match else digits[0] if digits else None
    return None


def _major(number: str) -> str:
    """Of a build string: `118` is 11.8, `12` is 12, and `92` is 9.2: CUDA 9.2 and older are written so."""
    whole, dot, _ = number.partition(".")
    return whole if dot else number[:-1] if len(number) == 3 or int(number) > 75 else number


def _tables(
    lines: Sequence[Dependency],
    platforms: Sequence[str],
    table: str,
    notes: list[str],
    entry: Entry,
) -> Iterator[str]:
    """The table of all platforms, then one for each platform with lines of its own."""
    yield from _table(table, [line.spec for line in lines if line.selector is None], notes, entry)
    for platform in platforms:
        own = [x.spec for x in lines if x.selector and selector_holds(x.selector, platform)]
        if own:
            yield from _table(f"target.{platform}.{table}", own, notes, entry)


def _table(name: str, specs: Sequence[str], notes: list[str], entry: Entry) -> Iterator[str]:
    found: dict[str, str] = {}
    for spec in specs:
        pair = entry(spec)
        if pair is None:
            notes.append(_no_place(spec))
            continue
        key, value = pair
        if found.setdefault(key, value) == _ANY:
            found[key] = value
        elif value not in (found[key], _ANY):
            notes.append(f"{spec}: {key} is there twice, and a pixi.toml has room for one")
        if "editable = true" in value and value == found[key]:
            notes.append(f"{spec}: called {key}, after its folder; pixi wants the project's name")
        if entry is _conda and (lost := _unsaid(spec)):
            notes.append(f"{spec}: left out of the pixi.toml: {', '.join(lost)}")
    if found or name == "dependencies":
        yield from ("", f"[{name}]", *(f"{_key(k)} = {v}" for k, v in found.items()))


def _no_place(line: str) -> str:
    nameless = line.startswith(("git+", "http://", "https://", "file:"))
    hint = f": pixi wants a name there, write `NAME @ {line}`" if nameless else ""
    return f"{line}: has no place in a pixi.toml{hint}"


def _conda(spec: str) -> tuple[str, str]:
    parsed = parse_match_spec(spec)
    if archive := _ARCHIVE.match(spec):
        md5 = {"md5": _text(archive[2])} if archive[2] else {}
        return parsed.name, _inline({"url": _text(archive[1]), **md5})
    if parsed.build is None and parsed.channel is None:
        return parsed.name, _text(parsed.version or "*")
    fields = {"version": _text(parsed.version or "*")}
    if parsed.build is not None:
        fields["build"] = _text(parsed.build)
    if parsed.channel is not None:
        channel, subdir = _place(parsed.channel)
        fields["channel"] = _text(_as_pixi_has_it(channel, subdir or "linux-64")[0])
        fields |= {"subdir": _text(subdir)} if subdir else {}
    return parsed.name, _inline(fields)


def _unsaid(spec: str) -> list[str]:
    """What a spec says in brackets beside version, build and channel."""
    inside = re.search(r"\[(.*)\]", spec)
    keys = re.findall(r"(\w+)\s*=", re.sub(r"'[^']*'|\"[^\"]*\"", "", inside[1])) if inside else []
    return [key for key in keys if key not in ("version", "build", "channel")]


def _pypi(line: str) -> tuple[str, str] | None:
    option = _OPTION.match(line)
    if option is not None:
        return _editable(option[2]) if option[1] in ("-e", "--editable") else None
    egg = _EGG.match(line)
    try:
        requirement = Requirement(f"{egg[1]} @ {line}" if egg else line)
    except InvalidRequirement:
        return None
    extras = {"extras": _list(sorted(requirement.extras))} if requirement.extras else {}
    marker = {"env-markers": _text(str(requirement.marker))} if requirement.marker else {}
    name = canonicalize_name(requirement.name)
    if requirement.url is None:
        version = _text(str(requirement.specifier) or "*")
        more = extras | marker
        return name, _inline({"version": version} | more) if more else version
    return name, _inline(_source(requirement.url) | extras | marker)


def _source(url: str) -> dict[str, str]:
    if match := _COMMIT.match(url):
        found = {"git": _text(match["url"])}
        found |= {"rev": _text(match["rev"])} if match["rev"] else {}
        inside = re.search(r"subdirectory=([^&]+)", match["rest"] or "")
        return found | ({"subdirectory": _text(inside[1])} if inside else {})
    if url.startswith("file:"):
        return {"path": _text(url.removeprefix("file://").removeprefix("file:"))}
    return {"url": _text(url)}


def _editable(path: str) -> tuple[str, str] | None:
    """An editable folder goes by the name of the folder: nothing else is said of it."""
    if "://" in path and not path.startswith("file:"):
        return None
    place = path.removeprefix("file://").partition("#")[0].strip()
    place, _, extras = place.removesuffix("]").partition("[")
    name = place.rstrip("/").rpartition("/")[2]
    if not _NAME.match(name):
        return None
    fields = {"path": _text(place), "editable": "true"}
    names = sorted(extra.strip() for extra in extras.split(",") if extra.strip())
    return name, _inline(fields | ({"extras": _list(names)} if names else {}))


def _is_option(line: str) -> bool:
    match = _OPTION.match(line)
    return match is not None and match[1] not in ("-e", "--editable")


def _pip_options(lines: Sequence[Dependency]) -> list[str]:
    found: dict[str, list[str]] = {}
    for line in lines:
        match = _OPTION.match(line.spec)
        if match is not None:
            found.setdefault(match[1], []).append(match[2].strip())
    index = [*found.get("--index-url", ()), *found.get("-i", ())]
    links = [*found.get("--find-links", ()), *found.get("-f", ())]
    options = [f"index-url = {_text(index[-1])}"] if index else []
    if extra := found.get("--extra-index-url"):
        options.append(f"extra-index-urls = {_list(extra)}")
    if links:
        options.append(f"find-links = [{', '.join(map(_link, links))}]")
    return ["", "[pypi-options]", *options] if options else []


def _link(place: str) -> str:
    """A page, or a folder, of files."""
    if "://" in place and not place.startswith("file:"):
        return _inline({"url": _text(place)})
    return _inline({"path": _text(place.removeprefix("file://"))})


def _inline(fields: dict[str, str]) -> str:
    return "{ " + ", ".join(f"{key} = {value}" for key, value in fields.items()) + " }"


def _list(texts: Sequence[str]) -> str:
    return "[" + ", ".join(map(_text, texts)) + "]"


def _key(name: str) -> str:
    return name if _KEY.match(name) else _text(name)


def _text(text: str) -> str:
    """A TOML basic string; JSON's differ in DEL alone."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
