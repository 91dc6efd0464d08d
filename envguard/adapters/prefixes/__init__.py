"""Makes throwaway prefixes, finds and reads those that are there."""
