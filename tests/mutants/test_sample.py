"""The samples of mutation testing: which changes they take follows from a seed, and can be told."""

from tests.mutants import mutation
from tests.mutants.run import ROOT

NAMES = [f"controller.kernel.control.x_{number}__mutmut_1" for number in range(1000)]


def test_a_sample_follows_from_the_names_and_the_seed_alone() -> None:
    first = mutation.sample_of(NAMES, 300, 1)
    assert len(set(first)) == 300
    assert mutation.sample_of(reversed(NAMES), 300, 1) == first
    assert mutation.sample_of(NAMES, 300, 2) != first
    assert mutation.sample_of(NAMES[:7], 300, 1) == NAMES[:7]


def test_a_module_that_moves_and_changes_elsewhere_leave_the_sample_as_it_was() -> None:
    first = mutation.sample_of(NAMES, 300, 1)
    moved = [name.replace(".kernel.", ".record.") for name in NAMES]
    assert mutation.sample_of(moved, 300, 1) == [
        name.replace(".kernel.", ".record.") for name in first
    ]
    fewer = mutation.sample_of(NAMES[50:], 300, 1)
    assert len(set(fewer) - set(first)) <= 50


def test_how_far_a_sample_is_counts_what_was_tried_and_what_lived() -> None:
    codes = {NAMES[0]: 0, NAMES[1]: 1, NAMES[2]: None, NAMES[5]: 0}
    assert mutation._progress(codes, NAMES[:4]) == "    2 of 4 done, 1 lived"


def test_the_sampled_parts_are_whole_packages_and_have_their_tests() -> None:
    for name, part in mutation.SAMPLED.items():
        there = {str(path.relative_to(ROOT)) for path in (ROOT / "controller" / name).glob("*.py")}
        assert there - set(part.modules) <= {
            f"controller/{name}/__init__.py", f"controller/{name}/__main__.py",
        }  # fmt: skip
        assert all((ROOT / tests).is_dir() for tests in part.tests)
