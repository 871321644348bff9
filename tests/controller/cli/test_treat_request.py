"""The request for a treatment: planned beside the kernel, and refused by it where it cannot be."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from controller.api.ask import TIMEOUT_S, TREAT_TIMEOUT_S
from controller.cli import treat_request
from controller.safety.refusal import RefusedError, refusing
from qa.loop import run_virtual
from qa.rig import service

if TYPE_CHECKING:
    from controller.api.client import KernelClient

WISH: dict[str, Any] = {"program": "refresh", "client": "demo"}


class Kernel:
    """Shows a unit, and refuses each treatment with the code that it was given."""

    def __init__(self, record: Path, refuses: str = "") -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._refuses = refuses
        self._shown = run_virtual(_shown()) | {"record": {"path": str(record), "rows": 0}}

    async def ask(
        self, do: str, args: Mapping[str, Any] | None = None, timeout_s: float = TIMEOUT_S
    ) -> dict[str, Any]:
        """Answer."""
        self.asked.append((do, dict(args or {})))
        if do == "treat":
            assert timeout_s == TREAT_TIMEOUT_S
            raise refusing(self._refuses, "The kernel says no.", "Then do something else.")
        return self._shown


async def _shown() -> dict[str, Any]:
    async with service() as made:
        return made.snapshot()


def planned(kernel: Kernel, wish: dict[str, Any]) -> dict[str, Any]:
    asked = treat_request.planned(cast("KernelClient", kernel), wish, None)
    return asyncio.run(asked)


def test_a_wish_becomes_a_request_with_the_fingerprint_of_its_plan(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path / "none")
    request = planned(kernel, WISH)
    assert request.items() >= WISH.items()
    assert set(request) == {*WISH, "plan_sha256", "planned_at_s", "planned_up_s", "plan_parts"}
    assert [do for do, _ in kernel.asked] == ["status"]


@pytest.mark.parametrize("code", ["config", "plan_needed"])
def test_what_cannot_be_planned_is_refused_by_the_kernel_too_so_that_its_record_says_so(
    tmp_path: Path, code: str
) -> None:
    kernel, wish = Kernel(tmp_path / "none", refuses=code), {**WISH, "program": "refrsh"}
    with pytest.raises(RefusedError, match="There is no program 'refrsh'") as caught:
        planned(kernel, wish)
    assert caught.value.code == "config"
    assert kernel.asked[-1] == ("treat", wish)


def test_where_the_kernel_has_another_reason_that_one_counts(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path / "none", refuses="not_allowed")
    with pytest.raises(RefusedError, match="The kernel says no"):
        planned(kernel, {**WISH, "program": "refrsh"})


def test_what_is_no_request_at_all_is_not_sent(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path / "none")
    with pytest.raises(RefusedError, match="a tip is named by"):
        planned(kernel, {**WISH, "tip": ""})
    assert [do for do, _ in kernel.asked] == ["status"]
