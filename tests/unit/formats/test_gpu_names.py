"""GPU names as people and drivers write them."""

import pytest

from envguard.adapters import rules
from envguard.formats.gpu_names import match_gpu_name, unambiguous_name
from envguard.model.knowledge import GpuModel
from tests.small_knowledge import KNOWLEDGE


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("a10", "A10", id="a10 is not a100"),
        pytest.param("a100", "A100", id="a100 is not a10"),
        pytest.param("t4", "T4", id="t4 is not T400"),
        pytest.param("T400", "T400", id="T400 is not T4"),
        pytest.param("NVIDIA A100-SXM4-80GB", "A100", id="as NVML says it"),
        pytest.param("A100 80GB PCIe", "A100", id="memory and form factor"),
        pytest.param("a100 80 gb", "A100", id="memory with a space"),
        pytest.param("NVIDIA A100-SXM4-40GB MIG 1g.5gb", "A100", id="a MIG partition"),
        pytest.param("NVIDIA A100-PCIE-40GB MIG 1g.5gb+me", "A100", id="with media engines"),
        pytest.param("NVIDIA A10-24Q", "A10", id="a vGPU profile"),
        pytest.param("Tesla V100-SXM2-16GB", "Tesla V100", id="Tesla"),
        pytest.param("v100", "Tesla V100", id="without Tesla"),
        pytest.param("Tesla T4", "T4", id="with a line that the table leaves out"),
        pytest.param("NVIDIA H100 80GB HBM3", "H100", id="memory type"),
        pytest.param("H100 NVL", "H100 NVL", id="a variant with a line of its own"),
        pytest.param("4090", "GeForce RTX 4090", id="a bare number"),
        pytest.param("rtx4090", "GeForce RTX 4090", id="in one word"),
        pytest.param("RTX-4090", "GeForce RTX 4090", id="with a hyphen"),
        pytest.param("NVIDIA GeForce RTX 4090 Laptop GPU", "GeForce RTX 4090", id="laptop"),
        pytest.param("rtx4090laptop", "GeForce RTX 4090", id="laptop in one word"),
        pytest.param("4090 d", "GeForce RTX 4090 D", id="4090 D is not 4090"),
        pytest.param("gtx 1080ti", "GeForce GTX 1080 Ti", id="ti without a space"),
        pytest.param("rtx a6000", "RTX A6000", id="A6000 of Ampere"),
        pytest.param("A6000", "RTX A6000", id="A6000 alone"),
        pytest.param("NVIDIA RTX 6000 Ada Generation", "RTX 6000 Ada", id="6000 of Ada"),
        pytest.param("quadro rtx 6000", "Quadro RTX 6000", id="6000 of Turing"),
        pytest.param("Quadro RTX 6000 with Max-Q Design", "Quadro RTX 6000", id="Max-Q"),
        pytest.param(
            "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition",
            "RTX PRO 6000 Blackwell",
            id="6000 of Blackwell",
        ),
        pytest.param("gtx titan x", "GeForce GTX TITAN X", id="the Titan X of Maxwell"),
        pytest.param("NVIDIA TITAN X (Pascal)", "TITAN X", id="the Titan X of Pascal"),
        pytest.param("Orin (nvgpu)", "Jetson AGX Orin", id="a Jetson as NVML says it"),
    ],
)
def test_a_name_means_one_card(text: str, name: str) -> None:
    assert [model.name for model in match_gpu_name(text, KNOWLEDGE.gpus).models] == [name]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param(
            "4000", {"Quadro RTX 4000", "RTX 4000 Ada"}, id="a number that two families use"
        ),
        pytest.param("rtx 6000", {"Quadro RTX 6000", "RTX 6000 Ada"}, id="rtx 6000"),
        pytest.param(
            "6000", {"Quadro RTX 6000", "RTX 6000 Ada", "RTX PRO 6000 Blackwell"}, id="6000"
        ),
        pytest.param("titan x", {"GeForce GTX TITAN X", "TITAN X"}, id="titan x"),
    ],
)
def test_an_ambiguous_name_gives_its_candidates(text: str, names: set[str]) -> None:
    assert {model.name for model in match_gpu_name(text, KNOWLEDGE.gpus).models} == names


@pytest.mark.parametrize(
    ("text", "near"),
    [
        pytest.param("a1000", "A100", id="a typo"),
        pytest.param("rtx 4091", "GeForce RTX 4090", id="a wrong number"),
        pytest.param("banana", None, id="nothing like a card"),
        pytest.param("", None, id="nothing"),
        pytest.param("rtx", None, id="a product line is no card"),
        pytest.param("80gb", None, id="a variant is no card"),
    ],
)
def test_an_unknown_name_means_nothing(text: str, near: str | None) -> None:
    match = match_gpu_name(text, KNOWLEDGE.gpus)

    assert match.models == ()
    assert near is None or near in [model.name for model in match.near]


@pytest.mark.parametrize("model", rules.load().gpus, ids=lambda model: model.name)
def test_every_tabled_card_is_found_by_what_errors_tell_to_write(model: GpuModel) -> None:
    models = rules.load().gpus

    assert match_gpu_name(unambiguous_name(model, models), models).models == (model,)


def test_only_the_titan_x_needs_more_than_its_name() -> None:
    models = rules.load().gpus

    longer = [model.name for model in models if unambiguous_name(model, models) != model.name]
    assert longer == ["TITAN X"]
