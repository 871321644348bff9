"""The request for a treatment: planned here, in this process, beside the kernel that will treat."""

from pathlib import Path
from typing import Any

from controller.api.ask import TREAT_TIMEOUT_S
from controller.api.client import KernelClient
from controller.record.read import Purpose, plan_beside, request_of
from controller.safety.refusal import RefusedError


async def planned(
    kernel: KernelClient, wish: dict[str, Any], configs: Path | None
) -> dict[str, Any]:
    """Return the arguments of TREAT, with the fingerprint of the plan of this moment.

    What cannot be planned is asked for all the same: the kernel refuses, and its record says so.

    Raises:
        RefusedError: there is no plan; it says why, with the smallest change that fits.
    """
    shown = await kernel.ask("status")
    try:
        plan = plan_beside(shown, wish, Purpose.START, configs)
    except RefusedError as refused:
        if refused.code != "bad_request":
            await _refused_too(kernel, wish, refused.code)
        raise
    return request_of(wish, plan)


async def _refused_too(kernel: KernelClient, wish: dict[str, Any], code: str) -> None:
    """Let the kernel refuse; where its reason is another one, that one counts."""
    try:
        await kernel.ask("treat", wish, TREAT_TIMEOUT_S)
    except RefusedError as error:
        if error.code not in (code, "plan_needed"):
            raise
