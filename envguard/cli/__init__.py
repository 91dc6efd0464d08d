"""The command line: parses, calls the api, draws, maps errors to exit codes."""
