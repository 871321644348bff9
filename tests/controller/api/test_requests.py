"""The API as text: what cannot be read is answered in one sentence, and STOP is heard anyway."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from controller.api import requests
from controller.api.authority import Do
from controller.api.requests import DismissArgs, LowerArgs, TreatArgs, read_args, read_request
from controller.safety.refusal import Refusal, RefusedError

BAD = {
    "nothing": b"",
    "no json": b"hello kernel",
    "half an object": b'{"id": 1, "do": "tre',
    "not an object": b"[1, 2, 3]",
    "a number": b"7",
    "no do": b'{"id": 1}',
    "unknown do": b'{"id": 1, "do": "fire"}',
    "unknown field": b'{"id": 1, "do": "status", "extra": true}',
    "id as text": b'{"id": "1", "do": "status"}',
    "negative id": b'{"id": -1, "do": "status"}',
    "args as list": b'{"id": 1, "do": "status", "args": []}',
    "unknown role": b'{"id": 1, "do": "treat", "who": {"role": "king"}}',
    "unknown origin": b'{"id": 1, "do": "treat", "who": {"origin": "moon"}}',
    "name too long": json.dumps({"do": "treat", "who": {"name": "x" * 65}}).encode(),
    "not utf-8": b'{"id": 1, "do": "\xff"}',
    "deeply nested": b'{"id":1,"do":"status","args":{"a":' + b"[" * 5000 + b"]" * 5000 + b"}}",
}


@pytest.mark.parametrize("line", BAD.values(), ids=BAD.keys())
def test_what_is_no_request_is_refused_in_one_sentence(line: bytes) -> None:
    with pytest.raises(RefusedError) as caught:
        read_request(line)
    assert caught.value.code == "bad_request"
    assert "\n" not in caught.value.sentence
    assert len(caught.value.sentence) < 400
    assert caught.value.next_step


@given(line=st.binary(max_size=200))
def test_any_bytes_are_a_request_or_refused_as_one_and_nothing_else(line: bytes) -> None:
    assert _what(line) in {"bad_request", *(do.value for do in Do)}


def _what(line: bytes) -> str:
    """What is asked, or the code of the refusal."""
    try:
        return read_request(line).do.value
    except RefusedError as refused:
        return refused.code


@pytest.mark.parametrize(
    "line",
    [
        b'{"do": "stop"}',
        b'{"do": "stop", "who": {"role": "king"}}',
        b'{"do": "stop", "who": 7, "args": "now!", "more": [1]}',
        b'{"id": "x", "do": "stop", "args": {"emergency": "yes"}}',
    ],
)
def test_a_stop_is_heard_whatever_else_is_wrong_with_it(line: bytes) -> None:
    request = read_request(line)
    assert request.do is Do.STOP
    assert request.args.get("emergency") is not True


def test_an_emergency_stop_with_a_bad_field_is_still_an_emergency_stop() -> None:
    request = read_request(b'{"id": 3, "do": "stop", "args": {"emergency": true}, "oops": 1}')
    assert (request.id, request.do, request.args) == (3, Do.STOP, {"emergency": True})


@pytest.mark.parametrize(
    ("args", "field"),
    [
        ({}, "program"),
        ({"program": "refresh"}, "client"),
        ({"program": "", "client": "demo"}, "program"),
        ({"program": "refresh", "client": "demo", "zones": []}, "zones"),
        ({"program": "refresh", "client": "demo", "zones": "nose"}, "zones"),
        ({"program": "refresh", "client": "demo", "lower": {"suction_kpa": -1.0}}, "suction_kpa"),
        ({"program": "refresh", "client": "demo", "lower": {"suction_mmhg": 60}}, "suction_mmhg"),
        ({"program": "refresh", "client": "demo", "resume": "yes"}, "resume"),
        ({"program": "refresh", "client": "demo", "dose": 3}, "dose"),
    ],
)
def test_a_wrong_argument_is_named(args: dict[str, JsonValue], field: str) -> None:
    with pytest.raises(RefusedError, match=field):
        read_args(TreatArgs, args)


@pytest.mark.hazard("H39")
@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_none_never_becomes_a_setting(text: str) -> None:
    line = b'{"do": "lower", "args": {"suction_kpa": %s}}' % text.encode()
    with pytest.raises(RefusedError):
        read_args(LowerArgs, read_request(line).args)


def test_a_treatment_has_a_number_from_one() -> None:
    with pytest.raises(RefusedError, match="treatment"):
        read_args(DismissArgs, {"treatment": 0})


def test_an_answer_is_one_line_with_the_id_of_its_question() -> None:
    why = Refusal("busy", "Wait.", "Ask again.")
    assert json.loads(requests.answer(5, {"a": 1})) == {"id": 5, "ok": True, "result": {"a": 1}}
    assert json.loads(requests.refusal(5, why))["error"]["next_step"] == "Ask again."
    assert all(
        line.count(b"\n") == 1 for line in (requests.answer(1, {}), requests.refusal(1, why))
    )
