"""From an environment.yml and targets to a lock, and from a lock to the next one."""
