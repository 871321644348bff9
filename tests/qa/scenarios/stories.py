"""Stories that never ran, for the tests of what judges and reports them."""

from qa.scenarios.expectations import Expectation
from qa.scenarios.load import parse_scenario
from qa.scenarios.model import Scenario
from qa.scenarios.story import Dose, RecordRow, Story
from qa.scenarios.timeline import Value

Happened = tuple[float, str, Value]

HEAD = 'name = "made-up"\ntitle = "Made up"\n\n[[steps]]\ndo = "wait"\n\n'


def scenario_with(expect: str) -> Scenario:
    """Return a scenario that expects one thing."""
    return parse_scenario(f"{HEAD}[[expect]]\n{expect}")


def expected(text: str) -> Expectation:
    """Return one expectation."""
    return scenario_with(text).expect[0]


def story_of(*happened: Happened, end_s: float = 10.0) -> Story:
    """Return a story in which subjects took these values at these times."""
    story = Story()
    for t_s, subject, value in happened:
        story.timeline.put(t_s, "device", subject, value)
    story.timeline.settle(end_s)
    return story


def dosed(bound_um: float, contact_s: float, cap_um: float = 3.0) -> Story:
    """Return a story in which the nose had so much in treatment 1."""
    story = story_of()
    story.rows = [RecordRow(1, 0.1, 1, "treatment", {})]
    story.doses[1, "nose"] = [
        Dose(0.1, 0.0, 0.0, cap_um, 0.0, 0.0),
        Dose(5.0, 0.1, bound_um, cap_um, contact_s, 0.5),
    ]
    return story


def recorded(*rows: tuple[int, str, dict[str, object]]) -> Story:
    """Return a story with these rows: treatment, kind, body."""
    story = story_of()
    story.rows = [
        RecordRow(number, float(number), treatment, kind, body)
        for number, (treatment, kind, body) in enumerate(rows, 1)
    ]
    return story
