"""The report of one treatment as a document: facts first, then pages."""

from datetime import tzinfo
from pathlib import Path
from typing import NamedTuple

from controller.archive.report.auditor import other_pages
from controller.archive.report.document import Document
from controller.archive.report.facts import Facts
from controller.archive.report.gather import facts_of
from controller.archive.report.practitioner import first_page
from controller.archive.report.seal import seal_of
from controller.archive.report.when import When, parts_utc
from controller.config.locate import shipped_configs
from controller.config.skin import load_skin
from controller.record.one_treatment import one_treatment


class Asked(NamedTuple):
    """What a report is asked of; None stands for the folder that is shipped, and the zone here."""

    state: Path
    """Where the record lies."""
    own: Path
    """Where the key of this computer lies."""
    configs: Path | None = None
    zone: tzinfo | None = None


def report_of(asked: Asked, number: int) -> Facts:
    """Return what the record says of a treatment that is over.

    Raises:
        RefusedError: there is no record, no such treatment, or it cannot be told.
        ConfigError: the skin data cannot be used.
    """
    skin = load_skin(asked.configs or shipped_configs())
    return facts_of(one_treatment(asked.state, number), skin)


def document_of(facts: Facts, asked: Asked) -> Document:
    """Return the pages: the same facts, key and zone give the same pages."""
    when = When(asked.zone)
    seal = seal_of(
        facts.standing.head, facts.standing.head_wall_s, Path(facts.standing.file), asked.own
    )
    simulated = ", simulated" if facts.simulated else ""
    title = f"Treatment {facts.treatment}{simulated}: {facts.display_name} for {facts.client}"
    return Document(
        title=title,
        footer=title,
        date=parts_utc(facts.ended_wall_s),
        blocks=(*first_page(facts, when), *other_pages(facts, seal, when)),
    )
