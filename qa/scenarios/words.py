"""The words of scenario files, taken from where the service itself defines them."""

from collections.abc import Callable, Sequence
from typing import Annotated, Final

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from controller.api.authority import Origin, Role
from controller.device.answers import LinkState
from controller.planning.client import Contraindication
from controller.treatment.kinds import Kind
from controller.treatment.states import State
from firmware_protocol.vocabulary import Cause, Mode
from qa.matrix.cells import Stage
from qa.matrix.rows import ROWS
from simulator.plant.faults import FAULTS
from simulator.plant.hands import HANDS

ANY: Final = "any"
NOT_A_WORD: Final = "not_a_word"
"""Type of the pydantic error for a word that is not in its list; its context has ``words``."""

MODES: Final = tuple(mode.name for mode in Mode)
CAUSES: Final = tuple(cause.name for cause in Cause if cause is not Cause.NONE)
FAULT_NAMES: Final = tuple(FAULTS)
HAND_NAMES: Final = tuple(HANDS)
ROW_NAMES: Final = tuple(ROWS)
STAGES: Final = tuple(stage.value for stage in Stage)
STATES: Final = ("idle", *(state.value for state in State))
LINKS: Final = tuple(state.value for state in LinkState)
ROLES: Final = tuple(role.value for role in Role)
ORIGINS: Final = tuple(origin.value for origin in Origin)
QUESTIONS: Final = tuple(item.key for item in Contraindication)
STEP_NAMES: Final = (
    "treat", "pause", "resume", "stop", "ack", "reset", "silence", "shutdown", "lower", "dismiss",
    "press", "release", "place", "lift", "hold-still", "auto", "fault", "clear", "kill-kernel",
    "freeze-kernel", "thaw-kernel", "end-kernel", "start-kernel", "cut-line", "silence-line",
    "noise-line", "restore-line", "send-garbage", "step-clock", "sleep", "reboot", "fill-disk",
    "slow-disk",
    "free-disk", "bench-cell", "wait",
)  # fmt: skip
"""The names of `qa.scenarios.steps`, which a test compares."""
OUTCOMES: Final = ("completed", "stopped", "tripped", "refused", Kind.INTERRUPTED.value)
ROW_KINDS: Final = tuple(kind.value for kind in Kind)


def _among(words: Sequence[str]) -> Callable[[str], str]:
    def check(said: str) -> str:
        if said not in words:
            raise PydanticCustomError(NOT_A_WORD, "there is no such word", {"words": list(words)})
        return said

    return check


def _schema(words: Sequence[str]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": list(words)})


ModeName = Annotated[str, AfterValidator(_among(MODES)), _schema(MODES)]
CauseName = Annotated[str, AfterValidator(_among((*CAUSES, ANY))), _schema((*CAUSES, ANY))]
FaultName = Annotated[str, AfterValidator(_among(FAULT_NAMES)), _schema(FAULT_NAMES)]
FaultOrAny = Annotated[
    str, AfterValidator(_among((*FAULT_NAMES, ANY))), _schema((*FAULT_NAMES, ANY))
]
HandName = Annotated[str, AfterValidator(_among(HAND_NAMES)), _schema(HAND_NAMES)]
StateName = Annotated[str, AfterValidator(_among(STATES)), _schema(STATES)]
LinkName = Annotated[str, AfterValidator(_among(LINKS)), _schema(LINKS)]
RoleName = Annotated[str, AfterValidator(_among(ROLES)), _schema(ROLES)]
OriginName = Annotated[str, AfterValidator(_among(ORIGINS)), _schema(ORIGINS)]
QuestionName = Annotated[str, AfterValidator(_among(QUESTIONS)), _schema(QUESTIONS)]
StepName = Annotated[str, AfterValidator(_among(STEP_NAMES)), _schema(STEP_NAMES)]
OutcomeName = Annotated[str, AfterValidator(_among(OUTCOMES)), _schema(OUTCOMES)]
RowName = Annotated[str, AfterValidator(_among(ROW_NAMES)), _schema(ROW_NAMES)]
KindName = Annotated[str, AfterValidator(_among(ROW_KINDS)), _schema(ROW_KINDS)]
StageName = Annotated[str, AfterValidator(_among(STAGES)), _schema(STAGES)]
CODE: Final = r"^[A-Za-z][A-Za-z0-9_]{0,39}$"
Code = Annotated[str, Field(pattern=CODE)]
"""A code of a refusal or an alarm; ``any`` is every one."""
