"""conda-lock.yml and what travels with it: contract, metadata, packs."""
