"""The kernel's API as text: one JSON object a line, checked here and nowhere else.

A request is ``{"id", "do", "who": {"name", "role", "origin"}, "args"}``; the answer carries the
same id. What cannot be read is answered in one sentence. STOP is read leniently: whoever can say
``{"do": "stop"}`` is heard, whatever else is missing or wrong.
"""

import json
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
)

from controller.api.authority import Do, Origin, Role
from controller.config.explain import words_of
from controller.config.place import place_of
from controller.planning.tips import LABEL_WORDS, label_of
from controller.safety.refusal import Refusal, RefusedError, refusing

REQUEST_MAX_BYTES: Final = 65_536
"""Longest request, including its line end."""

ID_MAX: Final = 2**53
"""Numbers that every JSON reader keeps exactly."""

NAME_MAX: Final = 64
REASON_MAX: Final = 500
ZONES_MAX: Final = 32
PATH_MAX: Final = 4096
HEADS_MAX: Final = 16  # one of each witness that speaks against a record
PARTS_MAX: Final = 16  # a plan has nine parts; a later one may have a few more

M = TypeVar("M", bound=BaseModel)


TOO_LARGE: Final = Refusal(
    "too_large",
    f"A request is longer than {REQUEST_MAX_BYTES // 1024} KiB.",
    "Send one JSON object a line; large things belong into files.",
)

PLAN_ELSEWHERE: Final = Refusal(
    "plan_elsewhere",
    "The kernel plans for nobody: it controls the unit, and a plan takes time that control needs.",
    "Plan in your own process (`corneum plan`), and send the plan's sha256, planned_at_s and "
    "planned_up_s with treat.",
)
"""The answer to the request `plan`, which kernels before 0.2 took."""


def unit_absent(trouble: str | None, next_step: str | None) -> RefusedError:
    """Return the refusal where the unit is not there; the words are those of `LinkView`."""
    why = "at the moment" if trouble is None else f"({trouble})"
    step = next_step or "check its cable and power; `corneum doctor` looks closer"
    return refusing(
        "unit_absent", f"The unit does not answer {why}.", f"{step[:1].upper()}{step[1:]}."
    )


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _label(text: str) -> str:
    label = label_of(text)
    if label is None:
        raise ValueError(f"a tip is named by {LABEL_WORDS}")
    return label


Label = Annotated[str, Field(max_length=PATH_MAX), AfterValidator(_label)]
Name = Annotated[str, Field(min_length=1, max_length=NAME_MAX)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class WhoSays(_Model):
    """Who asks, in which role, from where."""

    name: Annotated[str, Field(max_length=NAME_MAX)] = ""
    role: Annotated[Role, Field(strict=False)] = Role.VIEWER
    origin: Annotated[Origin, Field(strict=False)] = Origin.REMOTE


class Request(_Model):
    """One question to the kernel."""

    id: Annotated[int, Field(ge=0, le=ID_MAX)] = 0
    do: Annotated[Do, Field(strict=False)]
    who: WhoSays = WhoSays()
    args: dict[str, JsonValue] = Field(default_factory=dict)


class LowerArgs(_Model):
    """Settings below those of the program or of now; during a treatment 0 ends it in order."""

    suction_kpa: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] | None = None
    flow_g_per_min: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] | None = None


class TreatArgs(_Model):
    """What to treat.

    ``program`` and ``client`` are names or paths of TOML files; ``resume`` goes on with the
    client's unfinished treatment. ``tip`` is the label of the tip that is fitted; None is the one
    that was named last for this unit.

    ``plan_sha256`` is the fingerprint of the plan that a person saw, and ``planned_at_s`` its
    instant in wall time, ``planned_up_s`` in seconds since the boot of the computer: nothing starts
    without them. ``plan_parts`` are the hashes of its parts,
    by which the kernel says what has changed; they decide nothing.
    """

    program: Annotated[str, Field(min_length=1, max_length=PATH_MAX)]
    client: Annotated[str, Field(min_length=1, max_length=PATH_MAX)]
    zones: Annotated[list[Name], Field(min_length=1, max_length=ZONES_MAX)] | None = None
    lower: LowerArgs | None = None
    reason: Annotated[str, Field(max_length=REASON_MAX)] | None = None
    resume: bool = False
    tip: Label | None = None
    plan_sha256: Sha256 | None = None
    planned_at_s: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] | None = None
    planned_up_s: Annotated[float, Field(ge=0.0, allow_inf_nan=False)] | None = None
    plan_parts: Annotated[dict[Name, Sha256], Field(max_length=PARTS_MAX)] | None = None


class DismissArgs(_Model):
    """Which unfinished treatment will not be continued, and why."""

    treatment: Annotated[int, Field(ge=1)]
    reason: Annotated[str, Field(max_length=REASON_MAX)] = ""


class SterilisedArgs(_Model):
    """Which tip was sterilised, and in which cycle of the steriliser."""

    tip: Label
    cycle: Annotated[str, Field(max_length=NAME_MAX)] = ""


class UnlockArgs(_Model):
    """Why the lock of a unit is taken off: what was found, and what was mended."""

    reason: Annotated[str, Field(min_length=1, max_length=REASON_MAX)]


class HeadArgs(_Model):
    """A row that a witness of the record was told of."""

    journal: Name
    row: Annotated[int, Field(ge=1, le=ID_MAX)]
    hash: Sha256


class AcceptArgs(_Model):
    """Which break of the record a technician lets stand, and why.

    ``heads`` are the rows that witnesses know and the record lacks.
    """

    subject: Name
    number: Annotated[int, Field(ge=1, le=ID_MAX)] | None = None
    heads: Annotated[list[HeadArgs], Field(max_length=HEADS_MAX)] = []
    reason: Annotated[str, Field(min_length=1, max_length=REASON_MAX)]


def read_request(line: bytes) -> Request:
    """Return the request in one line of text.

    Raises:
        RefusedError: it is none; the sentence names the field.
    """
    try:
        return Request.model_validate_json(line)
    except ValidationError as error:
        stop = _stop_in(line)
        if stop is not None:
            return stop
        if _do_in(line) == "plan":
            raise RefusedError(PLAN_ELSEWHERE) from error
        whole = any(detail["loc"] for detail in error.errors(include_url=False))
        raise (_wrong_value(Request, error) if whole else _no_request(line)) from error


def read_args(model: type[M], args: dict[str, JsonValue]) -> M:
    """Return ``args`` as ``model``; RefusedError names the field that is wrong."""
    try:
        return model.model_validate(args)
    except ValidationError as error:
        raise _wrong_value(model, error) from error


def answer(request_id: int, result: dict[str, Any]) -> bytes:
    """Return the line that says yes."""
    return _line({"id": request_id, "ok": True, "result": result})


def refusal(request_id: int, why: Refusal) -> bytes:
    """Return the line that says no, why, and what to do."""
    said = {"code": why.code, "sentence": why.sentence, "next_step": why.next_step}
    receipt = {} if why.receipt is None else {"receipt": why.receipt_body}
    return _line({"id": request_id, "ok": False, "error": said | receipt})


def encoded(said: dict[str, Any]) -> bytes:
    """Return an object as it stands inside of lines."""
    return _line(said)[:-1]


def answer_start(request_id: int) -> bytes:
    """Return how the line begins that answers with an object which is encoded already."""
    return b'{"id":%d,"ok":true,"result":' % request_id


def watch_start(request_id: int, *, leads: bool) -> bytes:
    """Return how a line of one watch begins: whose it is, and whether it leads the treatment."""
    return b'{"id":%d,"leads":%b,' % (request_id, b"true" if leads else b"false")


def watch_rest(number: int, snapshot: bytes) -> bytes:
    """Return the rest of a line of every watch: the number to confirm, and the snapshot."""
    return b'"n":%d,"snapshot":%b}\n' % (number, snapshot)


def request_id_of(line: bytes) -> int:
    """Return the id of a request that cannot be read otherwise, or 0."""
    said = _loads(line)
    number = said.get("id") if isinstance(said, dict) else None
    return number if isinstance(number, int) and 0 <= number <= ID_MAX else 0


def says_stop(line: bytes) -> bool:
    """Return True for what would be taken as a stop."""
    return _do_in(line) == Do.STOP.value


def _do_in(line: bytes) -> object:
    said = _loads(line)
    return said.get("do") if isinstance(said, dict) else None


def _stop_in(line: bytes) -> Request | None:
    said = _loads(line)
    if not isinstance(said, dict) or said.get("do") != Do.STOP.value:
        return None
    args = said.get("args")
    emergency = isinstance(args, dict) and args.get("emergency") is True
    return Request(id=request_id_of(line), do=Do.STOP, args={"emergency": emergency})


def _loads(line: bytes) -> object:
    try:
        said: object = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return said


def _line(said: dict[str, Any]) -> bytes:
    return json.dumps(said, separators=(",", ":"), default=str).encode() + b"\n"


def _wrong_value(model: type[BaseModel], error: ValidationError) -> RefusedError:
    """Return the refusal of a value; it may be what a person wrote behind an option."""
    first = error.errors(include_url=False)[0]
    words = words_of(model, first).removesuffix(".")
    return refusing(
        "bad_request", f"{place_of(first['loc'])}{words}.", "Correct that, then ask again."
    )


def _no_request(line: bytes) -> RefusedError:
    """Return the refusal of a line that is no request; only a program can have sent it."""
    if isinstance(_loads(line), dict):
        return refusing(
            "bad_request",
            "The request has a character that is no text.",
            "Write what was asked for anew, with letters and digits alone.",
        )
    return refusing(
        "bad_request",
        "The line is no request: it is not one JSON object.",
        "Send id, do, who and args as docs/API.md lists them, one object a line.",
    )
