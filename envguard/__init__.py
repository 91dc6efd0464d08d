"""envguard: lock conda environments for the GPU you have, and prove that they run."""

__version__ = "0.1.0"


def load_ipython_extension(shell: object) -> None:
    """`%load_ext envguard`."""
    from envguard.jupyter.magics import load

    load(shell)
