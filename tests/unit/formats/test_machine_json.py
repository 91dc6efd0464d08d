"""Machine, version 1."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envguard.errors import InputError
from envguard.formats.machine_json import MAX_CHARACTERS, machine_to_json, parse_machine
from envguard.model.machine import Driver, DriverState, Gpu, Machine
from envguard.model.subdir import SUBDIRS
from envguard.model.version import ComputeCapability, Dotted

printable = st.characters(exclude_categories=["Cc", "Cs"])
texts = st.text(printable, max_size=20)
numbers = st.integers(0, 2**63)
dotted = st.lists(st.integers(0, 9999), min_size=1, max_size=4).map(
    lambda parts: Dotted.parse(".".join(map(str, parts)))
)
capabilities = st.builds(ComputeCapability, st.integers(0, 99), st.integers(0, 9))
names = st.text(printable, min_size=1, max_size=20)


def maybe(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | strategy


gpus = st.builds(
    Gpu,
    index=st.integers(0, 64),
    name=maybe(texts),
    uuid=maybe(texts),
    vendor=names.map(str.lower).filter(lambda name: name == name.lower()),
    architecture=maybe(texts),
    compute_capability=maybe(capabilities),
    memory_bytes=maybe(numbers),
    mig=maybe(st.booleans()),
)


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    environment = draw(maybe(st.dictionaries(names, texts, max_size=3)))
    override = draw(maybe(st.just("") | dotted.map(str)))
    arch_override = draw(maybe(st.just("") | capabilities.map(str)))
    for name, value in (("CUDA", override), ("CUDA_ARCH", arch_override)):
        if value is not None:
            environment = {**(environment or {}), f"CONDA_OVERRIDE_{name}": value}
    return Machine(
        subdir=draw(st.sampled_from(SUBDIRS)),
        glibc=draw(maybe(dotted)),
        archspec=draw(maybe(texts)),
        cpu_flags=draw(maybe(st.frozensets(texts, max_size=3))),
        osx=draw(maybe(dotted)),
        driver=draw(
            st.sampled_from([None, *DriverState]) | st.builds(Driver, maybe(dotted), maybe(dotted))
        ),
        gpus=draw(maybe(st.lists(gpus, max_size=3).map(tuple))),
        platform=draw(maybe(texts)),
        container=draw(maybe(texts)),
        memory_limit_bytes=draw(maybe(numbers)),
        shm_bytes=draw(maybe(numbers)),
        environment=environment,
        cuda_override=override,
        cuda_arch_override=arch_override,
        notes=draw(st.lists(texts, max_size=2).map(tuple)),
        assumed=draw(st.frozensets(texts, max_size=2)),
    )


@given(machines())
def test_every_machine_comes_back_as_it_was(machine: Machine) -> None:
    text = json.dumps(machine_to_json(machine))

    back = parse_machine(text, "machine.json")
    assert back == machine
    assert machine_to_json(back) == json.loads(text)


def test_the_documented_example_is_read() -> None:
    text = """
    {"schema_version": 1, "subdir": "linux-64", "glibc": "2.35", "archspec": "x86_64_v4",
     "cpu_flags": ["avx", "avx2"],
     "driver": {"version": "550.54.14", "cuda": "12.4"},
     "gpus": [{"index": 0, "uuid": "GPU-1", "name": "NVIDIA A100-SXM4-80GB",
               "architecture": "sm_80", "compute_capability": "8.0", "memory_bytes": 85899345920}],
     "container": "docker", "memory_limit_bytes": null, "shm_bytes": 67108864,
     "environment": {"LD_LIBRARY_PATH": "/usr/local/cuda/lib64"}}
    """

    machine = parse_machine(text, "node.json")
    assert machine.driver == Driver(Dotted.parse("550.54.14"), Dotted.parse("12.4"))
    assert machine.gpus is not None
    assert machine.gpus[0].vendor == "nvidia"
    assert machine.gpus[0].compute_capability == ComputeCapability(8, 0)
    assert machine.memory_limit_bytes is None


@pytest.mark.parametrize(
    ("driver", "expected"),
    [
        pytest.param("", None, id="an absent key was not observed"),
        pytest.param('"driver": null,', DriverState.ABSENT, id="null was looked for, is not there"),
        pytest.param('"driver": "any",', DriverState.ANY, id="any"),
        pytest.param('"driver": {},', Driver(), id="there, and nothing known of it"),
    ],
)
def test_absent_and_not_observed_are_two_things(driver: str, expected: object) -> None:
    text = f'{{"schema_version": 1, {driver} "subdir": "linux-64"}}'

    machine = parse_machine(text, "m.json")
    assert machine.driver == expected
    assert machine.gpus is None
    assert ("driver" in machine_to_json(machine)) is (expected is not None)


def test_an_override_in_the_captured_environment_is_replayed() -> None:
    environment = {"CONDA_OVERRIDE_CUDA": "", "CONDA_OVERRIDE_CUDA_ARCH": "8.6"}
    document = {"schema_version": 1, "subdir": "linux-64", "environment": environment}

    machine = parse_machine(json.dumps(document), "m.json")
    assert (machine.cuda_override, machine.cuda_arch_override) == ("", "8.6")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"subdir": None}, "m.json: subdir: is missing", id="no subdir"),
        pytest.param({"subdir": "linux-46"}, "did you mean linux-64?", id="a subdir's typo"),
        pytest.param({"glibc": 2.35}, "m.json: glibc: text is expected, not a number", id="number"),
        pytest.param({"glibc": "new"}, "m.json: glibc: 'new' is not a version", id="no version"),
        pytest.param(
            {"drver": None}, "m.json: drver: unknown key; did you mean 'driver'?", id="typo"
        ),
        pytest.param(
            {"driver": "550"},
            "m.json: driver: an object, null or 'any' is expected",
            id="bare driver",
        ),
        pytest.param(
            {"driver": {"version": "R550"}}, "m.json: driver.version: 'R550' is not", id="R550"
        ),
        pytest.param(
            {"driver": {"cude": "12"}}, "m.json: driver.cude: unknown key", id="inner typo"
        ),
        pytest.param({"gpus": {}}, "m.json: gpus: a list is expected, not an object", id="gpus"),
        pytest.param(
            {"gpus": ["a100"]}, "m.json: gpus[0]: an object is expected, not text", id="gpu"
        ),
        pytest.param(
            {"gpus": [{}, {"compute_capability": "80"}]},
            "m.json: gpus[1].compute_capability: '80' is not a compute capability",
            id="capability without a dot",
        ),
        pytest.param({"gpus": [{"mig": 1}]}, "gpus[0].mig: true or false is expected", id="mig"),
        pytest.param({"gpus": [{"index": True}]}, "gpus[0].index: a whole number", id="bool index"),
        pytest.param({"shm_bytes": -1}, "m.json: shm_bytes: -1 is below 0", id="negative"),
        pytest.param({"shm_bytes": 1.5}, "m.json: shm_bytes: a whole number", id="fraction"),
        pytest.param(
            {"cpu_flags": ["avx", 2]}, "m.json: cpu_flags[1]: text is expected", id="flag"
        ),
        pytest.param({"environment": {"A": 1}}, "m.json: environment.A: text", id="variable"),
        pytest.param(
            {"environment": {"CONDA_OVERRIDE_CUDA": "yes"}},
            "m.json: environment.CONDA_OVERRIDE_CUDA: 'yes' is not a version",
            id="override that is no version",
        ),
        pytest.param(
            {"environment": {"CONDA_OVERRIDE_CUDA_ARCH": "8"}},
            "m.json: environment.CONDA_OVERRIDE_CUDA_ARCH: '8' is not a compute capability",
            id="override that is no capability",
        ),
        pytest.param(
            {"gpus": [{"name": "A100\x1b[31m"}]}, "gpus[0].name: 'A100\\x1b[31m' has", id="escape"
        ),
        pytest.param({"notes": ["\ud800"]}, "notes[0]: '\\ud800' has", id="half a character"),
        pytest.param(
            {"environment": {"A": "\ud800"}}, "environment.A: '\\ud800' is no", id="half, variable"
        ),
        pytest.param({"schema_version": 2}, "schema_version: 2; this envguard reads 1", id="newer"),
        pytest.param({"schema_version": "1"}, 'schema_version: "1"', id="version as text"),
        pytest.param({"schema_version": True}, "schema_version: true", id="version as a bool"),
    ],
)
def test_a_mistake_is_named_with_its_key(change: dict[str, object], message: str) -> None:
    document = {"schema_version": 1, "subdir": "linux-64"} | change

    with pytest.raises(InputError) as caught:
        parse_machine(json.dumps(document), "m.json")
    assert message in caught.value.message


def parsed(**facts: object) -> Machine:
    return parse_machine(json.dumps({"schema_version": 1, "subdir": "linux-64", **facts}), "m.json")


def test_an_override_of_blanks_is_one_of_nothing() -> None:
    blank = {"CONDA_OVERRIDE_CUDA": " ", "CONDA_OVERRIDE_CUDA_ARCH": " "}
    machine = parsed(environment=blank)
    assert (machine.cuda_override, machine.cuda_arch_override) == ("", "")


def test_a_vendor_is_known_in_any_case() -> None:
    gpu = {"vendor": "NVIDIA", "compute_capability": "8.0"}
    machine = parsed(gpus=[gpu])
    assert len(machine.nvidia_gpus or ()) == 1


def test_all_mistakes_are_reported_at_once() -> None:
    document = {"schema_version": 1, "subdir": "moon", "glibc": 1, "gpus": [{"name": 5}]}

    with pytest.raises(InputError) as caught:
        parse_machine(json.dumps(document), "m.json")
    assert caught.value.message == "m.json: 3 mistakes"
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "m.json:1: not JSON", id="empty"),
        pytest.param('{\n"a": }', "m.json:2: not JSON", id="broken on line 2"),
        pytest.param("[1]", "m.json: an object is expected, not a list", id="a list"),
        pytest.param("[" * 100_000, "m.json", id="100,000 brackets"),
        pytest.param('{"schema_version": NaN}', "NaN is no JSON number", id="NaN"),
        pytest.param("9" * 5000, "m.json", id="a number of 5,000 digits"),
        pytest.param(" " * (MAX_CHARACTERS + 1), "has at most 1,000,000", id="too long"),
    ],
)
def test_what_is_no_machine_at_all(text: str, message: str) -> None:
    with pytest.raises(InputError, match=r"^m\.json") as caught:
        parse_machine(text, "m.json")
    assert message in caught.value.message
