"""rules/schema/ holds what the types of the documents say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from envguard.adapters.rules import rules_directory
from envguard.formats.schemas import DOCUMENTS, main, schema_of, text_of

FOLDER = rules_directory() / "schema"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_file_is_the_one_that_the_types_give(name: str) -> None:
    file = FOLDER / f"{name}-v1.json"
    assert file.read_text() == text_of(name), "python -m envguard.formats.schemas rules/schema"


def test_there_is_no_other_file(tmp_path: Path) -> None:
    main(str(tmp_path))
    assert {f.name for f in tmp_path.iterdir()} == {f.name for f in FOLDER.iterdir()}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_it_is_a_schema_and_every_object_is_closed(name: str) -> None:
    schema = schema_of(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    for definition in schema["$defs"].values():
        assert definition["additionalProperties"] is False
        assert set(definition["required"]) <= set(definition["properties"])


MACHINE: dict[str, Any] = {"schema_version": 1, "subdir": "linux-64"}
GPU: dict[str, Any] = {"index": 0, "vendor": "nvidia"}


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        pytest.param({}, True, id="nothing was observed"),
        pytest.param({"driver": None}, True, id="no driver"),
        pytest.param({"driver": "any"}, True, id="any driver"),
        pytest.param({"driver": {}}, True, id="a driver of an unknown version"),
        pytest.param({"driver": "some"}, False, id="another word"),
        pytest.param({"glibc": None}, False, id="null is written for the driver alone"),
        pytest.param({"gpus": [GPU | {"compute_capability": "8.0"}]}, True, id="a card"),
        pytest.param({"gpus": [GPU | {"compute_capability": "8"}]}, False, id="half of a number"),
        pytest.param({"gpus": [{"vendor": "nvidia"}]}, False, id="a card without index"),
        pytest.param({"shm_bytes": -1}, False, id="less than nothing"),
        pytest.param({"subdir": "linux-65"}, False, id="no platform"),
        pytest.param({"environment": {"A": 1}}, False, id="a variable that is no text"),
        pytest.param({"more": 1}, False, id="an unknown key"),
    ],
)
def test_a_machine_is_told_from_what_is_none(change: dict[str, Any], fits: bool) -> None:
    schema = jsonschema.Draft202012Validator(schema_of("machine"))
    assert schema.is_valid(MACHINE | change) is fits
    without = {key: value for key, value in MACHINE.items() if key != "subdir"}
    assert not schema.is_valid(without | change)
