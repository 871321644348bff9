"""A report as a file: the same bytes each time, tagged, and one page for the practitioner first."""

import base64
import io
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pikepdf
import pytest

from controller.archive.head_text import read_note
from controller.archive.own_key import known_keys, own_key
from controller.archive.report.body_map import STEPS, body_map, map_in_words, step_of
from controller.archive.report.body_shapes import VIEWS
from controller.archive.report.document import (
    Beside,
    Block,
    Document,
    Heading,
    Picture,
    Points,
    Table,
    Terms,
    Verbatim,
    Words,
)
from controller.archive.report.facts import AlarmFact, Facts
from controller.archive.report.html import as_html
from controller.archive.report.pdf import _KNOWN, as_pdf, printable
from controller.archive.report.practitioner import first_page
from controller.archive.report.report import Asked, document_of, report_of
from controller.archive.report.when import When
from controller.config.locate import shipped_configs
from controller.config.skin import load_skin
from controller.record.one_treatment import Unbelieved
from tests.controller.archive.conftest import Records
from tests.controller.archive.played import FACE

LONDON = ZoneInfo("Europe/London")


class Made(NamedTuple):
    asked: Asked
    facts: Facts
    document: Document
    pdf: bytes


@pytest.fixture(scope="module")
def made(records: Records, tmp_path_factory: pytest.TempPathFactory) -> Made:
    own = tmp_path_factory.mktemp("own")
    own_key(own)
    asked = Asked(records("tripped"), own, None, LONDON)
    facts = report_of(asked, 1)
    document = document_of(facts, asked)
    return Made(asked, facts, document, as_pdf(document))


def nodes(element: pikepdf.Object) -> list[pikepdf.Dictionary]:
    """Return every element of a structure tree, in the order of reading."""
    if isinstance(element, pikepdf.Array):
        return [found for child in element for found in nodes(child)]
    if not isinstance(element, pikepdf.Dictionary):
        return []
    own = [element] if "/S" in element and element.get("/S") != "/GoTo" else []
    return own + (nodes(element.K) if "/K" in element else [])


def test_the_same_record_gives_the_same_bytes(made: Made) -> None:
    again = document_of(report_of(made.asked, 1), made.asked)
    assert as_pdf(again) == made.pdf
    assert as_html(again) == as_html(made.document)


def test_the_file_says_that_it_is_pdf_a_and_pdf_ua_and_what_it_is_about(made: Made) -> None:
    with pikepdf.open(io.BytesIO(made.pdf)) as pdf:
        with pdf.open_metadata() as about:
            assert (about["pdfaid:part"], about["pdfaid:conformance"]) == ("2", "A")
            assert about["pdfuaid:part"] == "1"
            assert about["dc:title"] == "Treatment 1, simulated: Refresh for c-0042"
        assert str(pdf.Root.Lang) == "en"
        assert bool(pdf.Root.MarkInfo.Marked)
        assert str(pdf.docinfo["/CreationDate"]).startswith("D:20300317174")


def test_its_tags_have_headings_tables_with_header_cells_and_pictures_in_words(made: Made) -> None:
    with pikepdf.open(io.BytesIO(made.pdf)) as pdf:
        found = nodes(pdf.Root.StructTreeRoot.K)
        kinds = [str(node.S) for node in found]
        assert kinds.count("/H1") == 1
        assert kinds.index("/H1") < kinds.index("/H2") < kinds.index("/H3")
        tables = [node for node in found if node.S == "/Table"]
        assert len(tables) == 4
        for table in tables:
            assert "/TH" in [str(node.S) for node in nodes(table.K)]
        told = [str(node.Alt) for node in found if node.S == "/Figure"]
        drawn = [block.words for block in flat(made.document.blocks) if isinstance(block, Picture)]
        assert told == [printable(words) for words in drawn]


def flat(blocks: tuple[Block, ...]) -> list[Block]:
    return [
        each
        for block in blocks
        for each in (flat((*block.left, *block.right)) if isinstance(block, Beside) else [block])
    ]


def texts(block: Block) -> list[str]:
    match block:
        case Heading() | Words() | Verbatim():
            return [block.text]
        case Points():
            return list(block.items)
        case Terms():
            return [text for pair in block.pairs for text in pair]
        case Table():
            return [*block.names, *(cell for row in block.rows for cell in row)]
        case Picture():
            return [block.words]
        case Beside():
            return []


def test_the_html_has_every_word_and_every_picture_of_the_pdf_in_one_file(made: Made) -> None:
    page = as_html(made.document).decode()
    said = unescape(page)
    for block in flat(made.document.blocks):
        assert [text for text in texts(block) if text not in said] == []
    pictures = [block for block in flat(made.document.blocks) if isinstance(block, Picture)]
    inside = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    assert [base64.b64decode(each).decode() for each in inside] == [p.svg for p in pictures]
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert "<script" not in page


def test_what_is_simulated_says_so_in_the_body(made: Made) -> None:
    words = [block for block in flat(made.document.blocks) if isinstance(block, Words)]
    assert any(block.text.startswith("SIMULATED") for block in words)


def test_the_code_is_a_note_that_verify_takes(made: Made) -> None:
    (note,) = [b.text for b in flat(made.document.blocks) if isinstance(b, Verbatim)]
    said = read_note(note, known_keys(made.asked.own))
    head = made.facts.standing.head
    assert (said.journal, said.row, said.hash) == (head.journal, head.row, head.hash)


def test_without_a_key_the_code_is_unsigned_and_says_so(made: Made, tmp_path: Path) -> None:
    document = document_of(made.facts, made.asked._replace(own=tmp_path))
    words = " ".join(text for block in flat(document.blocks) for text in texts(block))
    assert "The code is NOT signed, because this computer has no key yet" in words
    assert list(tmp_path.iterdir()) == []


def worst(facts: Facts) -> Facts:
    """Return facts of a whole face that was cut off, broken and full of alarms."""
    displays = {site.zone: site.display for site in load_skin(shipped_configs()).sites}
    zones = tuple(
        replace(facts.zones[0], number=number, zone=zone, display=displays[zone], charged_s=1.85)
        for number, zone in enumerate(FACE, 1)
    )
    alarm = "Crystals flowed while the tip was not on the skin; the unit shut them off."
    alarms = tuple(AlarmFact(0.0, f"F{number}", "MEDIUM", alarm) for number in range(9))
    return replace(
        facts,
        zones=zones,
        alarms=alarms,
        at_least=True,
        standing=replace(
            facts.standing,
            unbelieved=(Unbelieved(1, 9, "missing", decided=False),),
            lacking="it lacks rows",
        ),
        resumes=(1, 2),
        practice=True,
        resumed_by=None,
    )


def test_a_whole_face_has_one_page_even_with_all_that_may_be_said(made: Made) -> None:
    blocks = first_page(worst(made.facts), When(LONDON))
    pdf = as_pdf(Document("face", "face", (2030, 3, 17, 0, 0, 0), blocks))
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert len(opened.pages) == 1


def test_every_zone_that_can_be_treated_has_a_place_on_the_map() -> None:
    drawn = {zone for view in VIEWS for zone in view.parts}
    sites = load_skin(shipped_configs()).sites
    assert {site.zone for site in sites if site.selectable} == drawn


def test_a_map_shows_left_and_right_as_it_says() -> None:
    for view in VIEWS:
        left_is_right = "left is on the right" in view.title
        for zone, part in view.parts.items():
            if zone.endswith("_left"):
                assert (part.label[0] > view.width_px / 2) is left_is_right, zone


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.0, "under 25 %"), (0.25, "25 to 50 %"), (0.999, "75 to 100 %"), (1.0, "cap reached")],
)
def test_a_share_of_the_cap_has_its_step_in_the_legend(share: float, words: str) -> None:
    step = step_of(share)
    assert step is not None
    assert STEPS[step].words == words


def test_the_legend_has_room_for_the_wider_letters_of_a_browser(made: Made) -> None:
    drawn = body_map(made.facts.zones)
    assert drawn is not None
    letter_px = 0.7 * 9.0  # DejaVu Sans, in which Chromium on Linux draws it
    legend = drawn[0][drawn[0].rindex("<g ") :]
    boxes = sorted({float(x) for x in re.findall(r'<rect x="([^"]+)"', legend)})
    edges = [*boxes[1:], 198.0]
    said = re.findall(r'<text x="([^"]+)"[^>]*text-anchor="start"[^>]*>([^<]+)<', legend)
    assert len(said) == len(STEPS) + 1
    for x, text in said:
        edge = next(each for each in edges if each > float(x))
        assert float(x) + letter_px * len(text) < edge, text


def test_a_share_that_is_not_known_has_no_step(made: Made) -> None:
    unknown = replace(
        made.facts.zones[0], planned=replace(made.facts.zones[0].planned, cap_um=None)
    )
    assert step_of(unknown.share) is None
    assert "1 Nose: not known" in map_in_words([unknown])


def test_a_zone_without_a_drawing_is_named_beside_the_map(made: Made) -> None:
    own = replace(made.facts.zones[0], zone="knee", display="Knee")
    assert body_map([own]) is None
    facts = replace(made.facts, zones=(own,))
    words = " ".join(text for each in flat(first_page(facts, When())) for text in texts(each))
    assert "Not on the map: Knee." in words


def test_the_typefaces_have_every_character_that_is_printed_as_it_is() -> None:
    known = "".join(chr(code) for first, last in _KNOWN for code in range(first, last + 1))
    assert printable(known).replace("[U+00AD]", "\xad") == known
    words = Words(printable(known))
    assert as_pdf(Document("x", "x", (2030, 1, 1, 0, 0, 0), (Heading("x", 1), words)))


def test_a_character_that_no_typeface_has_is_printed_by_its_number() -> None:
    assert printable("c-中\x07") == "c-[U+4E2D][U+0007]"
