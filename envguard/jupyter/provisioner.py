"""The provisioner of guarded kernels: local ones that are asked for proof, and whose death is explained.

https://jupyter-client.readthedocs.io/en/stable/provisioning.html
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from envguard.api.jupyter import Guard, OnStart, guard_here
from envguard.api.kernels import Death, KernelFacts, KernelWatch, keep_death
from envguard.errors import EnvguardError
from envguard.jupyter import dead_cell, start
from envguard.jupyter.folder import STARTUP, KernelFolder

LOOK_S = 0.1
EXPLAINED_WITHIN_S = 5.0
READ_S = 0.2
"""For clients in the caller's process (nbclient) to read what was said, before they hear of the death."""


class GuardedProvisioner(LocalProvisioner):
    """A LocalProvisioner with a guard. Whatever goes wrong in the guard is logged, and the kernel starts."""

    _folder: KernelFolder | None = None
    _watcher: _Watcher | None = None
    _verification: start.Verification | None = None
    _answer: start.Answer | None = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        kwargs = await super().pre_launch(**kwargs)
        guard = self._guard()
        if guard is not None and guard.covers(self._name):
            self._refuse_or_note(guard, kwargs)
        return kwargs

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        connection = await super().launch_kernel(cmd, **kwargs)
        if self._folder is not None:
            self._watcher = _Watcher(self, self._folder, self._facts(cmd, kwargs))
            self._watcher.start()
        return connection

    def _facts(self, cmd: list[str], launch: dict[str, Any]) -> KernelFacts:
        folder = Path(launch.get("cwd") or Path.cwd())
        stamp = None if self._answer is None else self._answer.text.partition("\n")[0]
        return KernelFacts(Path(cmd[0]), dict(launch.get("env") or {}), folder, stamp)

    async def poll(self) -> int | None:
        """None while it runs. The answer that it is dead comes once its death is explained."""
        status: int | None = await super().poll()
        watcher = self._watcher
        if status is not None and watcher is not None and watcher.is_alive():
            await asyncio.get_running_loop().run_in_executor(None, watcher.join, EXPLAINED_WITHIN_S)
            await asyncio.sleep(READ_S)
        return status

    async def shutdown_requested(self, restart: bool = False) -> None:
        self._expect_the_end()
        await super().shutdown_requested(restart)

    async def terminate(self, restart: bool = False) -> None:
        self._expect_the_end()
        await super().terminate(restart)

    async def kill(self, restart: bool = False) -> None:
        self._expect_the_end()
        await super().kill(restart)

    async def cleanup(self, restart: bool = False) -> None:
        await super().cleanup(restart)
        if not restart:
            self._forget()

    def takes(self, death: Death) -> bool:
        """Whether a subclass tells this death by itself; called in the thread that saw it."""
        return False

    @property
    def _name(self) -> str:
        return str(getattr(self.parent, "kernel_name", ""))

    def _expect_the_end(self) -> None:
        if self._watcher is not None:
            self._watcher.expected = True

    def _forget(self) -> None:
        if self._verification is not None:
            self._verification.stop()
        if self._folder is not None:
            self._folder.remove()
        self._folder = self._watcher = self._verification = None

    def _guard(self) -> Guard | None:
        """What is configured; a guard that nobody configured was asked for by its name, and warns."""
        try:
            guard = guard_here() or Guard(Path())
        except Exception:
            self.log.exception("envguard: kernel %s starts without a guard", self._name)
            return None
        for mistake in guard.mistakes:
            self.log.warning("envguard: %s; left out", mistake)
        return guard

    def _refuse_or_note(self, guard: Guard, kwargs: dict[str, Any]) -> None:
        """Prepare the guard. Raises RuntimeError for a kernel that is not to start, and nothing else."""
        answer = None
        try:
            answer = self._answer = start.answer(guard, self._name, kwargs)
            if answer is None or guard.on_start is not OnStart.REFUSE:
                self._prepare(guard, answer, kwargs)
        except Exception:
            self.log.exception("envguard: kernel %s starts without a guard", self._name)
            self._forget()
            return
        if answer is not None and guard.on_start is OnStart.REFUSE:
            self.log.error("envguard: %s", answer.text)
            raise RuntimeError(answer.text)

    def _prepare(self, guard: Guard, answer: start.Answer | None, kwargs: dict[str, Any]) -> None:
        if self._folder is None:
            self._folder = KernelFolder()
        self._folder.forget()
        environment = kwargs.get("env")
        if environment is not None and start.is_ipykernel(kwargs["cmd"]):
            environment[STARTUP] = str(self._folder.startup(environment.get(STARTUP)))
        if answer is None:
            if guard.on_start in (OnStart.WARN, OnStart.VERIFY):
                self._look_at_its_environment(guard, self._folder, dict(kwargs))
            return
        self.log.warning("envguard: %s", answer.text)
        if guard.on_start is OnStart.VERIFY and answer.lock is not None:
            self._verification = start.Verification(answer.lock, self._folder.notice, self.log)
        elif guard.on_start is not OnStart.OFF:
            self._folder.notice(f"envguard: {answer.text}\n")

    def _look_at_its_environment(
        self, guard: Guard, folder: KernelFolder, launch: dict[str, Any]
    ) -> None:
        """Beside its start: a notice, with one of the first cells, where it is not that of its lock."""
        name, log = self._name, self.log

        def look() -> None:
            try:
                other = start.other_environment(guard, name, launch)
                if other is not None:
                    log.warning("envguard: %s", other.text)
                    folder.notice(f"envguard: {other.text}\n")
            except Exception as error:  # the kernel may be gone, and its folder with it
                log.warning("envguard: the environment of %s was not compared: %s", name, error)

        threading.Thread(target=look, name="envguard-environment", daemon=True).start()


class _Watcher(threading.Thread):
    """Follows one process until its end; explains an end that nobody asked for."""

    def __init__(
        self,
        provisioner: GuardedProvisioner,
        folder: KernelFolder,
        facts: KernelFacts,
    ) -> None:
        super().__init__(name="envguard-kernel", daemon=True)
        assert provisioner.process is not None
        self.expected = False
        self._process = provisioner.process
        self._folder = folder
        self._log = provisioner.log
        self._name = provisioner._name
        self._watch = KernelWatch(self._process.pid, folder.faults, folder.is_watched)
        self._facts = facts
        self._say = _speaker(provisioner)
        self._takes = provisioner.takes

    def run(self) -> None:
        try:
            while (status := self._process.poll()) is None:
                self._watch.look()
                time.sleep(LOOK_S)
            if status != 0 and not self.expected:
                self._explain(status)
        except Exception:
            self._log.exception("envguard: the end of kernel %s is not explained", self._name)

    def _explain(self, status: int) -> None:
        running = self._folder.cell()
        death = self._watch.death(status, running[0] if running else None, self._facts)
        if self._takes(death):
            return
        text = f"envguard: {death.sentence}\n{death.text}\n{self._kept(death)}\n"
        self._log.error("%s", text)
        if running is None or not self._told(running[1], text):
            self._folder.notice("The kernel before this one died.\n" + text)

    def _kept(self, death: Death) -> str:
        """A full disk is a way to die, too: the cell and the log have it all the same."""
        try:
            return f"kept in {keep_death(self._name, death)}"
        except (EnvguardError, OSError) as error:
            return f"not kept in a file: {error}"

    def _told(self, header: dict[str, object], text: str) -> bool:
        try:
            return self._say(header, text)
        except Exception as error:  # its port is taken
            self._log.warning("envguard: the dead cell could not be told: %s", error)
            return False


def _speaker(provisioner: GuardedProvisioner) -> Callable[[dict[str, object], str], bool]:
    """Says something in the cell of a header; False where that cannot be done: ipc, or an encrypted line."""
    manager = provisioner.parent
    encrypted = getattr(manager, "curve_publickey", None) is not None
    if manager is None or encrypted or getattr(manager, "transport", None) != "tcp":
        return _cannot_say
    connection, session = dict(provisioner.connection_info), manager.session.clone()

    def say(header: dict[str, object], text: str) -> bool:
        return dead_cell.say(connection, session, header, text)

    return say


def _cannot_say(_header: dict[str, object], _text: str) -> bool:
    return False
