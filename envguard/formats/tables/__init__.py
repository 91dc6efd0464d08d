"""The rows of rules/tables/, read and refused with their line."""
