"""How a command ends: exit codes and the one failure that every command raises."""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Any, Final

from controller.api.fault_files import FAULT
from controller.safety.refusal import ENVIRONMENT, Refusal

BY_HAND: Final = "Let go of the hand switch, or switch the unit off."
"""What always stops, whatever a command comes to."""

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class ExitCode(IntEnum):
    """The exit codes that scripts rely on."""

    DONE = 0
    REFUSED = 1
    """Refused, or a check failed."""
    USAGE = 2
    PORT = 3
    """The port or the device, or something could not be reached."""
    TRIPPED = 4
    """Ended by a safety trip."""
    STOPPED = 5
    """Stopped by a person."""
    NOTHING = 6
    """There was nothing to do."""
    FAULT = 70
    """A fault of our own: EX_SOFTWARE of sysexits.h."""
    INTERRUPTED = 130
    """Ctrl-C before or beside a treatment, as shells have it: 128 and the number of SIGINT."""


OF_CODE: Final = {
    "stopped": ExitCode.STOPPED,
    "nothing_to_acknowledge": ExitCode.NOTHING,
    "no_trip": ExitCode.NOTHING,
    "not_locked": ExitCode.NOTHING,
    FAULT: ExitCode.FAULT,
}
"""What the kernel answers beside a plain refusal: a stop came first, or nothing was to be done."""
PORT_CODES: Final = frozenset({"port", "unit", "link", "device", "kernel", ENVIRONMENT})
"""First words of the error codes that mean port or device, or that something was out of reach."""


def exit_code_of(code: str) -> ExitCode:
    """Return the exit code that belongs to an error code of the kernel."""
    refused = ExitCode.PORT if code.partition("_")[0] in PORT_CODES else ExitCode.REFUSED
    return OF_CODE.get(code, refused)


class Failure(Exception):  # noqa: N818  it is a value for the person at the terminal, not a bug
    """One sentence for a person, what to do next, and the exit code."""

    def __init__(
        self,
        sentence: str,
        next_step: str = "",
        code: ExitCode = ExitCode.REFUSED,
        name: str = "",
        receipt: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.next_step = next_step
        self.code = code
        self.name = name or code.name.lower()
        self.receipt = receipt
        """The chain of limits, where one of them was the reason."""
        self.beside = _NOTHING
        """What ``--json`` says beside the error."""

    @property
    def words(self) -> str:
        """Sentence and next step, for standard error."""
        return joined(self.sentence, self.next_step)

    @property
    def as_object(self) -> dict[str, Any]:
        """What ``--json`` prints; the receipt is null without a limit."""
        error = {
            "code": self.name,
            "sentence": self.sentence,
            "next_step": self.next_step,
            "receipt": self.receipt,
        }
        return {**self.beside, "error": error}


def failure_of(why: Refusal, code: ExitCode | None = None) -> Failure:
    """Return the failure of a command that was refused; its exit code is that of the refusal."""
    code = exit_code_of(why.code) if code is None else code
    return Failure(why.sentence, why.next_step, code, why.code, why.receipt_body)


def joined(sentence: str, next_step: str) -> str:
    """Return both as one text; what the device layer says has no full stop yet."""
    if not next_step:
        return sentence
    ended = sentence.endswith((".", "?"))
    text = f"{sentence} {next_step}" if ended else f"{sentence}; {next_step}"
    return text if text.endswith(".") else f"{text}."
