"""What the use cases need of the outside, as protocols. `envguard.api` decides who answers them."""
