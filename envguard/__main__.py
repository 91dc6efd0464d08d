"""`envguard`, and `python -m envguard`: a stamp is asked for before the command line is imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with one of `ExitCode`."""
    if sys.argv[1:3] == ["stamp", "check"]:
        from envguard import stamp_check

        asked = stamp_check.parse(sys.argv[3:])
        if asked is not None:
            sys.exit(stamp_check.main(*asked))
    from envguard.cli.main import main as command_line

    command_line()


if __name__ == "__main__":
    main()
