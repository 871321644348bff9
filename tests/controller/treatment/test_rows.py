import json

from controller.treatment import rows
from controller.treatment.events import Commit, Note
from tests.controller.treatment.couch import ANNA, WAYS, of


def test_every_row_of_a_treatment_is_plain_json() -> None:
    for way in WAYS.values():
        one = way()
        told = [*of(Commit, one.done), *of(Note, one.done)]
        assert told
        for row in told:
            assert json.loads(json.dumps(row.body, allow_nan=False)) == row.body


def test_a_unit_that_never_spoke_leaves_an_empty_reading() -> None:
    assert rows.reading_body(None) == {}
    assert rows.who_body(ANNA)["origin"] == "local"
