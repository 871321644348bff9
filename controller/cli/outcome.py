"""How a command ends: exit codes and the one failure that every command raises."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final


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


OF_CODE: Final = {
    "stopped": ExitCode.STOPPED,
    "nothing_to_acknowledge": ExitCode.NOTHING,
    "no_trip": ExitCode.NOTHING,
    "not_locked": ExitCode.NOTHING,
}
"""What the kernel answers beside a plain refusal: a stop came first, or nothing was to be done."""
PORT_CODES: Final = frozenset({"port", "unit", "link", "device", "kernel"})
"""First words of the error codes that mean port or device."""


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

    @property
    def words(self) -> str:
        """Sentence and next step, for standard error."""
        return joined(self.sentence, self.next_step)


def joined(sentence: str, next_step: str) -> str:
    """Return both as one text; what the device layer says has no full stop yet."""
    if not next_step:
        return sentence
    text = f"{sentence} {next_step}" if sentence.endswith(".") else f"{sentence}; {next_step}"
    return text if text.endswith(".") else f"{text}."
