"""Facts and rules to findings; pure."""
