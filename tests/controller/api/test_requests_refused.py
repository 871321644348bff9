"""What is refused as it is read, word for word, and the lines in which anything is answered."""

import json
from typing import Any, Final

import pytest
from pydantic import BaseModel, JsonValue

from controller.api import requests
from controller.api.authority import Do, Origin, Role
from controller.api.requests import (
    ID_MAX,
    AcceptArgs,
    DismissArgs,
    LowerArgs,
    Request,
    SterilisedArgs,
    TreatArgs,
    UnlockArgs,
    WhoSays,
    read_args,
    read_request,
    request_id_of,
    says_stop,
    unit_absent,
)
from controller.safety.refusal import Refusal, RefusedError

NO_REQUEST: Final = (
    "bad_request",
    "The line is no request: it is not one JSON object.",
    "Send id, do, who and args as docs/API.md lists them, one object a line.",
)
NO_TEXT: Final = (
    "bad_request",
    "The request has a character that is no text.",
    "Write what was asked for anew, with letters and digits alone.",
)
PLANS_NOT: Final = (
    "plan_elsewhere",
    "The kernel plans for nobody: it controls the unit, and a plan takes time that control needs.",
    "Plan in your own process (`corneum plan`), and send the plan's sha256, planned_at_s and "
    "planned_up_s with treat.",
)
PLANNED: Final[dict[str, JsonValue]] = {"program": "refresh", "client": "demo"}


def told(refused: RefusedError | Refusal) -> tuple[str, str, str]:
    """What a refusal says; its text as an exception is the sentence."""
    if isinstance(refused, RefusedError):
        assert str(refused) == refused.sentence
        refused = refused.refusal
    assert refused.receipt is None
    return refused.code, refused.sentence, refused.next_step


def wrong(sentence: str) -> tuple[str, str, str]:
    """The refusal of a wrong value."""
    return "bad_request", sentence, "Correct that, then ask again."


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"", NO_REQUEST),
        (b"hello kernel", NO_REQUEST),
        (b"[1, 2, 3]", NO_REQUEST),
        (b'{"id": 1, "do": "\xff"}', NO_REQUEST),
        (b'{"do": "ack", "args": {"a": "\\ud800"}}', NO_TEXT),
        (b'{"do": "plan"}', PLANS_NOT),
        (b'{"do": "plan", "args": {"program": "refresh"}, "more": 1}', PLANS_NOT),
        (b'{"id": 1}', wrong("do is missing; add it.")),
        (
            b'{"id": 1, "do": "fire"}',
            wrong(
                'do = "fire" is none of the choices; it must be '
                "'treat', 'stop', 'pause', 'resume', 'lower', 'ack', 'silence', 'reset', "
                "'dismiss', 'sterilised', 'unlock', 'accept', 'status', 'watch', 'seen' or "
                "'shutdown'."
            ),
        ),
        (
            b'{"do": "status", "extra": true}',
            wrong(
                "extra = true: there is no such field; remove it, or use one of args, do, id, who."
            ),
        ),
        (
            b'{"id": "1", "do": "status"}',
            wrong(
                'id = "1" is text; write the number without quotes; '
                "it must be 0 to 9.0072e+15."
            ),
        ),
        (
            b'{"do": "treat", "who": {"role": "king"}}',
            wrong(
                'who.role = "king" is none of the choices; it must be '
                "'viewer', 'practitioner', 'supervisor', 'technician' or 'qa'."
            ),
        ),
        (
            b'{"do": "treat", "who": {"origin": "moon"}}',
            wrong(
                "who.origin = \"moon\" is none of the choices; it must be 'local' or 'remote'."
            ),
        ),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_word_for_word(
    line: bytes, said: tuple[str, str, str]
) -> None:
    with pytest.raises(RefusedError) as caught:
        read_request(line)
    assert told(caught.value) == said


@pytest.mark.parametrize(
    ("model", "args", "sentence"),
    [
        (TreatArgs, {"client": "demo"}, "program is missing; add it."),
        (
            TreatArgs,
            {**PLANNED, "zones": ["a", ""]},
            'zones[2] = "" is empty; zones must have at least 1 characters.',
        ),
        (
            TreatArgs,
            {**PLANNED, "zones": ["a"] * 33},
            "zones = a list has 33 entries; zones must have at most 32.",
        ),
        (
            TreatArgs,
            {**PLANNED, "lower": {"suction_kpa": -1.0}},
            "lower.suction_kpa = -1 kPa is out of range; it must be at least 0 kPa.",
        ),
        (
            TreatArgs,
            {**PLANNED, "lower": {"flow_g_per_min": float("inf")}},
            "lower.flow_g_per_min = inf is not a usable number; it must be at least 0 g/min.",
        ),
        (
            TreatArgs,
            {**PLANNED, "tip": ""},
            'tip = "" cannot be used: a tip is named by 1 to 64 letters, digits or signs, as they '
            "stand on it or its pack.",
        ),
        (
            TreatArgs,
            {**PLANNED, "plan_sha256": "z"},
            'plan_sha256 = "z" is no hash; it must be 64 of the digits 0 to 9 and a to f.',
        ),
        (
            TreatArgs,
            {**PLANNED, "planned_up_s": -1.0},
            "planned_up_s = -1 s is out of range; it must be at least 0 s.",
        ),
        (
            LowerArgs,
            {"suction_kpa": "20"},
            'suction_kpa = "20" is text; write the number without quotes; '
            "it must be at least 0 kPa.",
        ),
        (DismissArgs, {}, "treatment is missing; add it (at least 1)."),
        (DismissArgs, {"treatment": 0}, "treatment = 0 is out of range; it must be at least 1."),
        (SterilisedArgs, {}, "tip is missing; add it."),
        (UnlockArgs, {}, "reason is missing; add it."),
        (UnlockArgs, {"reason": ""}, 'reason = "" is empty; reason must have at least 1 '
                                     "characters."),
        (AcceptArgs, {"reason": "x"}, "subject is missing; add it."),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_refused_word_for_word(
    model: type[BaseModel], args: dict[str, JsonValue], sentence: str
) -> None:
    with pytest.raises(RefusedError) as caught:
        read_args(model, args)
    assert told(caught.value) == wrong(sentence)


def test_a_request_is_read_with_all_that_it_says() -> None:
    said = {"name": "anna", "role": "supervisor", "origin": "local"}
    line = json.dumps({"id": 9, "do": "dismiss", "who": said, "args": {"treatment": 3}}).encode()
    who = WhoSays(name="anna", role=Role.SUPERVISOR, origin=Origin.LOCAL)
    assert read_request(line) == Request(id=9, do=Do.DISMISS, who=who, args={"treatment": 3})
    assert read_args(DismissArgs, {"treatment": 3, "reason": "old"}) == DismissArgs(
        treatment=3, reason="old"
    )
    assert read_request(b'{"do": "status"}') == Request(id=0, do=Do.STATUS, who=WhoSays(), args={})


@pytest.mark.parametrize(
    ("line", "stop"),
    [
        (b'{"id": 3, "do": "stop", "oops": 1}',
         Request(id=3, do=Do.STOP, args={"emergency": False})),
        (b'{"id": 0, "do": "stop", "args": {"emergency": true}, "oops": 1}',
         Request(id=0, do=Do.STOP, args={"emergency": True})),
        (b'{"id": "x", "do": "stop", "args": {"emergency": 1}}',
         Request(id=0, do=Do.STOP, args={"emergency": False})),
        (b'{"do": "stop", "args": ["emergency"]}',
         Request(id=0, do=Do.STOP, args={"emergency": False})),
    ],
)  # fmt: skip
def test_a_stop_with_something_wrong_is_one_of_a_viewer_and_vents_only_where_it_says_so(
    line: bytes, stop: Request
) -> None:
    assert read_request(line) == stop


@pytest.mark.parametrize(
    ("line", "number"),
    [
        (b'{"id": 1, "do": "fire"}', 1),
        (b'{"id": %d}' % ID_MAX, ID_MAX),
        (b'{"id": %d}' % (ID_MAX + 1), 0),
        (b'{"id": 0}', 0),
        (b'{"id": -1}', 0),
        (b'{"id": 1.5}', 0),
        (b'{"id": "7"}', 0),
        (b"{}", 0),
        (b"[7]", 0),
        (b"what?", 0),
        (b"[" * 100_000, 0),
    ],
)
def test_the_number_of_what_cannot_be_read_is_kept_where_it_is_one(
    line: bytes, number: int
) -> None:
    assert request_id_of(line) == number


@pytest.mark.parametrize(
    ("line", "stop"),
    [
        (b'{"do": "stop"}', True),
        (b'{"do": "Stop"}', False),
        (b'{"what": "stop"}', False),
        (b'["do", "stop"]', False),
        (b"stop", False),
    ],
)
def test_only_an_object_whose_do_is_stop_says_stop(line: bytes, *, stop: bool) -> None:
    assert says_stop(line) is stop


# -- what the kernel says --------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("trouble", "step", "sentence", "next_step"),
    [
        (
            None,
            None,
            "The unit does not answer at the moment.",
            "Check its cable and power; `corneum doctor` looks closer.",
        ),
        (
            "/dev/a is not there",
            "plug it in",
            "The unit does not answer (/dev/a is not there).",
            "Plug it in.",
        ),
    ],
)
def test_a_unit_that_is_not_there_is_told_with_its_trouble_and_the_step(
    trouble: str | None, step: str | None, sentence: str, next_step: str
) -> None:
    assert told(unit_absent(trouble, step)) == ("unit_absent", sentence, next_step)


def test_a_line_that_is_too_long_is_told_with_the_bound() -> None:
    assert told(requests.TOO_LARGE) == (
        "too_large",
        "A request is longer than 64 KiB.",
        "Send one JSON object a line; large things belong into files.",
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (requests.answer(5, {"a": [1, "é"]}),
         b'{"id":5,"ok":true,"result":{"a":[1,"\\u00e9"]}}\n'),
        (requests.refusal(5, Refusal("busy", "Wait.", "Ask again.")),
         b'{"id":5,"ok":false,"error":{"code":"busy","sentence":"Wait.",'
         b'"next_step":"Ask again."}}\n'),
        (requests.refusal(6, Refusal("limit", "No.", "Less.", {"allowed": 1.5})),
         b'{"id":6,"ok":false,"error":{"code":"limit","sentence":"No.","next_step":"Less.",'
         b'"receipt":{"allowed":1.5}}}\n'),
        (requests.encoded({"a": 1, "b": None}), b'{"a":1,"b":null}'),
        (requests.answer_start(7) + b"{}}\n", b'{"id":7,"ok":true,"result":{}}\n'),
        (requests.watch_start(7, leads=True) + requests.watch_rest(3, b"{}"),
         b'{"id":7,"leads":true,"n":3,"snapshot":{}}\n'),
        (requests.watch_start(8, leads=False) + requests.watch_rest(4, b"[]"),
         b'{"id":8,"leads":false,"n":4,"snapshot":[]}\n'),
    ],
)  # fmt: skip
def test_each_line_of_the_kernel_is_as_the_contract_writes_it(line: bytes, said: bytes) -> None:
    assert line == said


def test_what_json_does_not_know_is_written_as_its_text() -> None:
    found: Any = json.loads(requests.answer(1, {"at": Role("qa")}))
    assert found["result"] == {"at": "Role.QA"}
