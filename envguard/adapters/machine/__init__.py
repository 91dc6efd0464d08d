"""Looks at the machine at hand: driver, cards, host."""
