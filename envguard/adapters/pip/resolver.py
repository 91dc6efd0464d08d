"""Locking a pip section with uv, beside packages that conda has already chosen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from envguard.adapters.pip.failure import failure
from envguard.adapters.pip.included import included_lines
from envguard.adapters.pip.overrides import overrides, wishes
from envguard.adapters.pip.preferences import cutoff_arguments, write_preferences
from envguard.adapters.pip.pylock import Pylock
from envguard.adapters.pip.secret_values import SecretValues
from envguard.adapters.pip.stubs import Provided, provided_distributions, write_stubs
from envguard.adapters.pip.uv_processes import UvProcesses
from envguard.adapters.pip.wheel_tags import uv_platform
from envguard.adapters.scratch import scratch_folder
from envguard.errors import InputError, UnavailableError, UnsatisfiableError
from envguard.formats.environments.pip_lines import UvLines, indexes, scanned_arguments, uv_lines
from envguard.model.package import PackageRecord
from envguard.model.relock import Cutoff
from envguard.model.secrets import redacted
from envguard.ports.pip import PipRequest

UV_TIMEOUT_S = 600.0


class UvPipResolver:
    """Resolves from metadata alone; a build, which runs a stranger's code, only where it was allowed.

    `pypi_names` maps conda names to PyPI names where they differ; distributions of packages that are
    unpacked in `package_cache` tell their names themselves. `mirrors` maps URLs of indexes to where they are.
    Files that were uploaded after `cutoff` are as if they were not there.
    """

    def __init__(
        self,
        *,
        pypi_names: Mapping[str, str],
        offline: bool = False,
        cutoff: Cutoff | None = None,
        timeout_s: float = UV_TIMEOUT_S,
        package_cache: Path | None = None,
        mirrors: Mapping[str, str] | None = None,
    ) -> None:
        self._pypi_names = pypi_names
        self._offline = offline
        self._cutoff = cutoff
        self._timeout_s = timeout_s
        self._package_cache = package_cache
        self._mirrors = dict(mirrors or {})

    def resolve(self, requests: Sequence[PipRequest]) -> tuple[tuple[PackageRecord, ...], ...]:
        """See `ports.PipResolver`. One file a package, with URL and hash; nothing of what conda provides."""
        uv = UvProcesses()
        with (
            scratch_folder(Path(tempfile.gettempdir())) as folder,
            ThreadPoolExecutor(max_workers=max(1, len(requests))) as pool,
        ):
            scratches = [folder.resolve() / str(number) for number in range(len(requests))]
            try:
                return tuple(pool.map(partial(self._resolve, uv), requests, scratches))
            except BaseException:  # ^C, or one failed: nobody waits for the others
                uv.stop()
                raise

    def _resolve(
        self, uv: UvProcesses, request: PipRequest, scratch: Path
    ) -> tuple[PackageRecord, ...]:
        scratch.mkdir()
        run = self._prepared(uv, request, scratch)
        write_preferences(request, scratch / "pylock.toml")
        try:
            run.uv(
                "--format",
                "pylock.toml",
                "--generate-hashes",
                *([] if request.preferred else ["--upgrade"]),
                *run.given(),
                file="pylock.toml",
            )
        except UnsatisfiableError as error:
            raise self._overridden(run) or error from None
        found = Pylock(scratch, request, run.lines.hashes).records(
            (scratch / "pylock.toml").read_text("utf-8")
        )
        return tuple(
            replace(record, url=self._canonical(run.secrets.url(record.url or "")))
            for record in found
        )

    def _prepared(self, uv: UvProcesses, request: PipRequest, scratch: Path) -> _Run:
        directory = request.directory or Path.cwd()
        included = list(included_lines(request.lines, directory))
        secrets = SecretValues((*request.lines, *included), os.environ)
        lines = uv_lines(request.lines, build=request.build)
        if lines.refused:
            raise InputError(
                "what these lines under `pip:` ask for cannot be locked",
                problems=tuple(f"{redacted(line)}   {why}" for line, why in lines.refused),
                hint="leave the option out; a build of sources is allowed by --allow build",
            )
        provided = provided_distributions(request.provided, self._pypi_names, self._package_cache)
        stubs = write_stubs(provided, scratch / "stubs")
        (scratch / "provided.txt").write_text(
            "".join(f"{name} @ {path.as_uri()}\n" for name, path in stubs.items()), "utf-8"
        )
        arguments = [*lines.arguments, *scanned_arguments(included)]
        if indexes((*request.lines, *included)) and not os.environ.get("UV_INDEX_STRATEGY"):
            # pip takes the best version of all indexes, uv by default that of the first
            arguments += ["--index-strategy", "unsafe-best-match"]
        arguments += self._routes(request, scratch)
        arguments += [] if request.build else ["--no-build"]
        arguments += ["--offline"] if self._offline else []
        arguments += cutoff_arguments(self._cutoff)
        return _Run(
            uv,
            request,
            scratch,
            directory,
            lines,
            secrets,
            provided,
            tuple(arguments),
            self._timeout_s,
        )

    def _routes(self, request: PipRequest, scratch: Path) -> list[str]:
        """A project beside the lines that takes packages from indexes of their own, and only these."""
        if not request.routes:
            return []
        urls = list(dict.fromkeys(route.index for route in request.routes))
        text = '[project]\nname = "envguard-routes"\nversion = "0"\n'
        wanted = [f"{route.name}{route.specifier}" for route in request.routes]
        text += f"dependencies = {json.dumps(wanted)}\n"
        for number, url in enumerate(urls):
            text += f'[[tool.uv.index]]\nname = "route-{number}"\nexplicit = true\n'
            text += f"url = {json.dumps(self._mirrored(url))}\n"
        text += "[tool.uv.sources]\n"
        for route in request.routes:
            text += f'{route.name} = {{ index = "route-{urls.index(route.index)}" }}\n'
        (scratch / "pyproject.toml").write_text(text, "utf-8")
        return [str(scratch / "pyproject.toml")]

    def _mirrored(self, url: str) -> str:
        for canonical, actual in self._mirrors.items():
            if f"{url}/".startswith(f"{canonical.rstrip('/')}/"):
                return actual.rstrip("/") + url[len(canonical.rstrip("/")) :]
        return url

    def _canonical(self, url: str) -> str:
        for canonical, actual in self._mirrors.items():
            if url.startswith(f"{actual.rstrip('/')}/"):
                return canonical.rstrip("/") + url[len(actual.rstrip("/")) :]
        return url

    def _overridden(self, run: _Run) -> UnsatisfiableError | None:
        """Who would replace what conda provides, where that is why there is no solution."""
        if not run.provided:
            return None
        answer = run.scratch / "wishes.txt"
        answer.write_text(wishes(run.provided), "utf-8")
        try:
            run.uv("--find-links", str(run.scratch / "stubs"), file=answer.name)
        except (UnsatisfiableError, UnavailableError, InputError):
            return None
        return overrides(answer.read_text("utf-8"), run.provided, run.lines.lines)


@dataclass(frozen=True, slots=True)
class _Run:
    """One request, ready for uv. `arguments` hold for every question about it."""

    processes: UvProcesses
    request: PipRequest
    scratch: Path
    directory: Path
    lines: UvLines
    secrets: SecretValues
    provided: tuple[Provided, ...]
    arguments: tuple[str, ...]
    timeout_s: float

    def given(self) -> tuple[str, str]:
        """What conda provides, as given."""
        return ("--constraints", str(self.scratch / "provided.txt"))

    def uv(self, *arguments: str, file: str) -> None:
        """Compile into `file` of the scratch folder. Raises what `failure` makes of uv's words."""
        request = self.request
        command = [
            *("pip", "compile", "--quiet", "--no-progress", "--no-header"),
            *("--python", sys.executable, "--python-version", request.python_version),
            *("--python-platform", uv_platform(request.subdir, request.glibc)),
            *self.arguments,
            *arguments,
            # read from stdin, so that `-r FILE` and `./WHEEL` mean what is beside environment.yml
            *("--output-file", str(self.scratch / file), "-"),
        ]
        try:
            status, stderr = self.processes.run(
                command,
                text="\n".join(self.lines.lines) + "\n",
                directory=self.directory,
                timeout_s=self.timeout_s,
            )
        except subprocess.TimeoutExpired as error:
            raise UnavailableError(
                f"the pip section was not resolved within {self.timeout_s:g} s",
                hint="check the network and the index named in the pip section, then try again",
            ) from error
        if status != 0:
            told = self.secrets.hidden(stderr.replace(f"{self.scratch}/", ""))
            raise failure(told, request)
