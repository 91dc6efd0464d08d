"""Reports in the format that was asked for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from envguard.model.matrix import Matrix
from envguard.model.report import Report

_FEW = 3
MATRIX_FORMATS = ("matrix", "csv")
FORMATS = ("text", "concise", "json", "markdown", "github", "sarif")


def render(reports: Sequence[Report], format_: str, *, verbose: bool = False) -> str:
    """The text of `reports`; `github` also appends a table to the step's summary, where there is one."""
    from envguard import api

    match format_:
        case "json":
            from envguard.formats.reports.report_json import reports_to_json

            return reports_to_json(reports, rules_date=api.rules_date())
        case "sarif":
            from envguard.formats.reports.sarif import reports_to_sarif

            return reports_to_sarif(reports, rules_date=api.rules_date())
        case "concise":
            from envguard.formats.reports.concise import reports_concise

            return reports_concise(reports, verbose=verbose)
        case "markdown":
            from envguard.formats.reports.markdown import reports_markdown

            return reports_markdown(reports)
        case "github":
            from envguard.formats.reports.github import reports_github

            _summarize(reports)
            return reports_github(reports)
        case _:
            from envguard.formats.reports.report_text import reports_text

            return reports_text(reports, rules_date=api.rules_date(), verbose=verbose)


def render_matrix(matrix: Matrix, format_: str, *, verbose: bool = False) -> str:
    """Several subjects: counts where there are many of them, their reports where there are few."""
    match format_:
        case "csv":
            from envguard.formats.reports.matrix_csv import matrix_csv

            return matrix_csv(matrix)
        case "matrix":
            from envguard.formats.reports.matrix_text import matrix_text

            return matrix_text(matrix)
        case "text" if len(matrix.subjects) > _FEW:
            from envguard.formats.reports.matrix_text import matrix_text

            return matrix_text(matrix)
        case _:
            return render(matrix.reports, format_, verbose=verbose)


def _summarize(reports: Sequence[Report]) -> None:
    """GitHub shows what a step appends to this file."""
    from envguard import api
    from envguard.formats.reports.markdown import reports_markdown

    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        api.append_text(Path(summary), reports_markdown(reports))
