"""The public Python API, and the only place that picks adapters."""

from envguard.api.bundling import bundle_text
from envguard.api.checking import check, check_many, expand_subjects
from envguard.api.comparing import diff, render
from envguard.api.configuring import find_configuration, read_configuration
from envguard.api.diagnosing import (
    diagnose,
    diagnose_end,
    diagnose_file,
    diagnose_text,
    oom_kills,
)
from envguard.api.exporting import Exported, export
from envguard.api.files import append_text, write_text
from envguard.api.fixing import fix
from envguard.api.installing import activate, install, stale_lock
from envguard.api.knowing import failed_rule_examples, list_rules, rule_mistakes, signatures, why
from envguard.api.locking import lock, lock_separately, parse_mirrors
from envguard.api.machines import machine, resolve_targets, target_here
from envguard.api.notebooks import is_notebook
from envguard.api.packing import pack
from envguard.api.redacting import redacted
from envguard.api.relocking import lock_check
from envguard.api.ruling import pack_rules, rules_date, rules_in_use, update_rules
from envguard.api.showing import demo
from envguard.api.starting import init_plan, make_new
from envguard.api.verifying import verify
from envguard.api.verifying_notebooks import verify_notebook
from envguard.model.lock_options import LockOptions

__all__ = [
    "Exported",
    "LockOptions",
    "activate",
    "append_text",
    "bundle_text",
    "check",
    "check_many",
    "demo",
    "diagnose",
    "diagnose_end",
    "diagnose_file",
    "diagnose_text",
    "diff",
    "expand_subjects",
    "export",
    "failed_rule_examples",
    "find_configuration",
    "fix",
    "init_plan",
    "install",
    "is_notebook",
    "list_rules",
    "lock",
    "lock_check",
    "lock_separately",
    "machine",
    "make_new",
    "oom_kills",
    "pack",
    "pack_rules",
    "parse_mirrors",
    "read_configuration",
    "redacted",
    "render",
    "resolve_targets",
    "rule_mistakes",
    "rules_date",
    "rules_in_use",
    "signatures",
    "stale_lock",
    "target_here",
    "update_rules",
    "verify",
    "verify_notebook",
    "why",
    "write_text",
]
