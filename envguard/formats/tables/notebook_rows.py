"""The rows of rules/tables/import_names.yaml."""

from __future__ import annotations

from collections.abc import Iterator

from envguard.formats.strict_yaml import Keys, as_dotted
from envguard.formats.tables.table_values import Sources
from envguard.model.import_names import ImportName, StdlibChange


def import_names(keys: Keys, origin: Sources) -> Iterator[ImportName]:
    """The rows of `import_names`: a module, and all that bring it."""
    for row in keys.rows("import_names"):
        yield ImportName(row.text("module"), row.texts("packages"), origin(row))


def stdlib_changes(keys: Keys, origin: Sources) -> Iterator[StdlibChange]:
    """The rows of `stdlib_changes`: modules, and the Python they came or went with."""
    for row in keys.rows("stdlib_changes"):
        yield StdlibChange(
            modules=row.texts("modules"),
            added=row.optional("added", as_dotted),
            removed=row.optional("removed", as_dotted),
            origin=origin(row),
        )
