"""Whether a document is as the shipped schema says."""

from __future__ import annotations

import json

import jsonschema

from envguard.adapters.rules import rules_directory


def mistakes(name: str, document: object) -> list[str]:
    """What does not fit rules/schema/NAME-v1.json."""
    text = (rules_directory() / "schema" / f"{name}-v1.json").read_text()
    schema = jsonschema.Draft202012Validator(json.loads(text))
    return [f"{error.json_path}: {error.message}" for error in schema.iter_errors(document)]
