"""Import every framework of the environment, one after the other in one process."""

import importlib
import time


def main(probe):
    for name in probe.arguments["modules"]:
        probe.stage("import " + name)
        started = time.perf_counter()
        module = importlib.import_module(name)
        probe.value(name, str(getattr(module, "__version__", "no version")))
        probe.value(name + " seconds", round(time.perf_counter() - started, 3))
