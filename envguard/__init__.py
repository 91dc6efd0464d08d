"""envguard: lock conda environments for the GPU you have, and prove that they run."""

__version__ = "0.1.0"
