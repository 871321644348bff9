"""Documents cannot rot: what they name is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "docs/adr").glob("*.md")]
NAMED = re.compile(r"(?<![\w/.-])((?:[a-z_]+/)*[a-z_0-9]+\.py)\b")
LINK = re.compile(r"\]\(([^)#\s:]*)(#[^)\s]*)?\)")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_every_source_file_that_a_document_names_is_there() -> None:
    """Documents name files from the top, or by their last parts."""
    sources = [path.relative_to(ROOT).as_posix() for path in ROOT.glob("*/**/*.py")]
    assert not [
        f"{page.name}: {name}"
        for page in PAGES
        for name in NAMED.findall(page.read_text("utf-8"))
        if not any(f"/{source}".endswith(f"/{name}") for source in sources)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_place_in_it(page: Path) -> None:
    for name, place in LINK.findall(page.read_text("utf-8")):
        target = page.parent / name if name else page
        assert target.exists(), name
        if place and target.suffix == ".md":
            assert place[1:] in _places(target), f"{name}{place}"


def _places(page: Path) -> set[str]:
    text = page.read_text("utf-8")
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", re.sub(r"<[^>]*>", "", head)).strip() for head in heads)
    return {head.lower().replace(" ", "-") for head in plain} | set(
        re.findall(r'<a id="([^"]*)">', text)
    )


@pytest.mark.parametrize("page", ["SAFETY_CASE.md", "CREDIBILITY.md"])
def test_every_test_that_a_page_of_claims_names_exists(page: str) -> None:
    named = TEST.findall((ROOT / "docs" / page).read_text("utf-8"))
    assert named
    assert not [
        (file, name)
        for file, name in named
        if f"def {name}(" not in (ROOT / file).read_text("utf-8")
    ]
