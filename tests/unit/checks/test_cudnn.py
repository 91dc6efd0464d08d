"""The cuDNN that EG210 advises: of the same CUDA, and with the card."""

from __future__ import annotations

import pytest

from envguard.checks.cudnn import check_cudnn
from envguard.model.report import Status
from tests.unit.checks.cases import CUDA118, CUDA129, case, target

KEPLER = "pytorch 1.13.1 cuda112py310he33e0d6_200"
MAXWELL, VOLTA, TURING = "5.0", "7.0", "7.5"


@pytest.mark.parametrize(
    ("package", "cudnn", "card", "status", "advice"),
    [
        (CUDA129, "libcudnn 9.13.1.26 h_0", TURING, Status.PASS, None),
        (CUDA129, "libcudnn 9.10.2.21 h_0", VOLTA, Status.PASS, None),
        (CUDA129, "libcudnn 9.11.0.98 h_0", VOLTA, Status.FAIL, ("libcudnn <9.11",)),
        (CUDA129, "libcudnn 9.13.1.26 h_0", VOLTA, Status.FAIL, ("libcudnn <9.11",)),
        (CUDA129, "libcudnn 9.13.1.26 h_0", MAXWELL, Status.FAIL, ("libcudnn <9.11",)),
        (CUDA118, "cudnn 8.9.7.29 h_0", MAXWELL, Status.PASS, None),
        (CUDA118, "cudnn 8.9.7.29 h_0", "3.7", Status.FAIL, ("cudnn <8.6",)),
        (KEPLER, "cudnn 8.8.1.3 h_0", "3.5", Status.UNKNOWN, None),
        (KEPLER, "cudnn 8.5.0.96 h_0", "3.5", Status.PASS, None),
    ],
)
def test_the_advice_is_a_cudnn_for_the_same_cuda_that_has_the_card(
    package: str, cudnn: str, card: str, status: Status, advice: tuple[str, ...] | None
) -> None:
    (finding,) = check_cudnn(case(target(card, driver="570.124.06"), package, cudnn))
    assert finding.status is status
    assert (finding.fix.specs if finding.fix else None) == advice
