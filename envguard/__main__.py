"""`python -m envguard`."""

from envguard.cli.main import main

main()
