"""docs/RECORDS.md says of every field that concerns a person that it does."""

from collections.abc import Iterator, Mapping

from controller.treatment.kinds import FORMS, ROWS, Body, Part
from tools.records_page import CONCERNS, records_page


def parts(body: Body) -> Iterator[tuple[str, str, Mapping[str, object]]]:
    for name, part in body.items():
        if isinstance(part, Part):
            yield name, part.says, part.parts
            yield from parts(part.parts)
        else:
            yield name, part, {}


def test_every_field_that_names_a_person_or_a_client_is_told() -> None:
    of_lead = {"from", "asked"}
    found = {
        name
        for row in ROWS
        for name, says, form in parts(row.body)
        if form == FORMS["person"] or "person's words" in says or name == "client"
    }
    assert found <= CONCERNS.keys() | of_lead
    assert all(f"`{name}`" in records_page() for name in found | of_lead)
