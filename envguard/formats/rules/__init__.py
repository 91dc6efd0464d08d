"""Rules, signatures and explanations: read, shown, packed, compiled."""
