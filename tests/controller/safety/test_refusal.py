"""One refusal: what it says, and that the exception says the same."""

import pytest

from controller.safety.limits import Limit, Quantity, Source, resolve
from controller.safety.refusal import Refusal, RefusedError, refusing

LIMITED = resolve(Quantity.SUCTION_KPA, 45.0, (Limit(Source.PROGRAM, Quantity.SUCTION_KPA, 28.0),))


@pytest.mark.parametrize(
    ("receipt", "body"),
    [(None, None), (LIMITED, LIMITED.as_dict()), ({"allowed": 1.5}, {"allowed": 1.5}), ({}, {})],
)
def test_a_receipt_is_json_whether_it_was_computed_or_sent(receipt: object, body: object) -> None:
    assert Refusal("limit", "No.", "Less.", receipt).receipt_body == body  # type: ignore[arg-type]


def test_the_exception_has_the_words_of_its_refusal_and_is_the_sentence_as_text() -> None:
    refusal = Refusal("limit", "Too much.", "Less.", LIMITED)
    error = RefusedError(refusal)
    assert (error.refusal, str(error)) == (refusal, "Too much.")
    assert (error.code, error.sentence, error.next_step) == ("limit", "Too much.", "Less.")
    assert refusing("busy", "It runs.", "Wait.").refusal == Refusal("busy", "It runs.", "Wait.")
