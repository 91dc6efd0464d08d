"""What envguard talks about: frozen dataclasses without I/O."""
