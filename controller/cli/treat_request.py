"""The request for a treatment: planned here, in this process, beside the kernel that will treat."""

from pathlib import Path
from typing import Any

from controller.api.ask import TREAT_TIMEOUT_S
from controller.api.client import AnswerError, KernelClient
from controller.api.requests import ApiError
from controller.record.read import Purpose, plan_beside, request_of


async def planned(
    kernel: KernelClient, wish: dict[str, Any], configs: Path | None
) -> dict[str, Any]:
    """Return the arguments of TREAT, with the fingerprint of the plan of this moment.

    What cannot be planned is asked for all the same: the kernel refuses, and its record says so.

    Raises:
        AnswerError: there is no plan; it says why, with the smallest change that fits.
    """
    try:
        plan = plan_beside(await kernel.ask("status"), wish, Purpose.START, configs)
    except ApiError as refused:
        if refused.code != "bad_request":
            await _refused_too(kernel, wish, refused.code)
        raise AnswerError(
            refused.code, refused.sentence, refused.next_step, refused.receipt
        ) from refused
    return request_of(wish, plan)


async def _refused_too(kernel: KernelClient, wish: dict[str, Any], code: str) -> None:
    """Let the kernel refuse; where its reason is another one, that one counts."""
    try:
        await kernel.ask("treat", wish, TREAT_TIMEOUT_S)
    except AnswerError as error:
        if error.code not in (code, "plan_needed"):
            raise
