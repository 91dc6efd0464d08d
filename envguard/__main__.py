"""`envguard`, and `python -m envguard`: a stamp is asked for before the command line is imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with one of `ExitCode`."""
    if sys.argv[1:3] == ["stamp", "check"]:
        from envguard import stamp_check

        asked = stamp_check.parse(sys.argv[3:])
        if asked is not None:
            sys.exit(_answered(*asked))
    import gc

    gc.set_threshold(500_000)  # what is made stays: each of a hundred collections finds nothing
    from envguard.cli.main import main as command_line

    command_line()


def _answered(lock: str, format_: str) -> int:
    from envguard import stamp_check

    try:
        return stamp_check.main(lock, format_)
    except KeyboardInterrupt:
        return 130
    except Exception:  # python's own exit status of 1 would say "not proven"
        import traceback

        traceback.print_exc()
        return 70


if __name__ == "__main__":
    main()
