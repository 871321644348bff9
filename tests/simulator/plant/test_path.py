import pytest

from simulator.plant.path import lanes_of, pass_length_of, position, side_of

SIDE_MM = side_of(14.0)
PITCH_MM = 3.0
LENGTH_MM = pass_length_of(SIDE_MM, PITCH_MM)
WINDOW_RADIUS_MM = 3.0
STEP_MM = 0.2
CELL_MM = 0.5


def walk(passes: int) -> list[tuple[float, float]]:
    steps = round(passes * LENGTH_MM / STEP_MM)
    return [position((step + 0.5) * STEP_MM, SIDE_MM, PITCH_MM, 0.0) for step in range(steps)]


def covered(points: list[tuple[float, float]], margin_mm: float) -> list[float]:
    """Count, for a lattice inside the zone, how often the window of the tip is over each place."""
    reach, radius = round(WINDOW_RADIUS_MM / CELL_MM), WINDOW_RADIUS_MM / CELL_MM
    counts: dict[tuple[int, int], int] = {}
    for x_mm, y_mm in points:
        at_x, at_y = x_mm / CELL_MM, y_mm / CELL_MM
        for i in range(round(at_x) - reach, round(at_x) + reach + 1):
            for j in range(round(at_y) - reach, round(at_y) + reach + 1):
                if (i - at_x) ** 2 + (j - at_y) ** 2 <= radius * radius:
                    counts[i, j] = counts.get((i, j), 0) + 1
    first, last = round(margin_mm / CELL_MM), round((SIDE_MM - margin_mm) / CELL_MM)
    inside = range(first, last + 1)
    return [float(counts.get((i, j), 0)) for i in inside for j in inside]


def test_lanes_fill_the_square_and_are_no_farther_apart_than_the_pitch() -> None:
    assert lanes_of(SIDE_MM, PITCH_MM) == 13
    assert SIDE_MM / lanes_of(SIDE_MM, PITCH_MM) <= PITCH_MM
    assert lanes_of(2.0, PITCH_MM) == 1


def test_the_square_has_the_area_of_the_zone() -> None:
    assert side_of(4.0) == 20.0


def test_a_walk_starts_in_the_first_lane_and_comes_back_in_the_second() -> None:
    lane_mm = SIDE_MM / lanes_of(SIDE_MM, PITCH_MM)
    assert position(0.0, SIDE_MM, PITCH_MM, 0.0) == (0.0, lane_mm / 2)
    assert position(5.0, SIDE_MM, PITCH_MM, 0.0) == (5.0, lane_mm / 2)
    back = position(SIDE_MM + 5.0, SIDE_MM, PITCH_MM, 0.0)
    assert back == pytest.approx((SIDE_MM - 5.0, 1.5 * lane_mm))


def test_the_second_pass_is_at_a_right_angle_and_the_third_is_the_first_again() -> None:
    for along_mm in (0.0, 12.3, 100.0, LENGTH_MM - 0.1):
        x_mm, y_mm = position(along_mm, SIDE_MM, PITCH_MM, 0.0)
        turned = position(along_mm + LENGTH_MM, SIDE_MM, PITCH_MM, 0.0)
        assert turned == pytest.approx((y_mm, x_mm))
        again = position(along_mm + 2 * LENGTH_MM, SIDE_MM, PITCH_MM, 0.0)
        assert again == pytest.approx((x_mm, y_mm))


def test_off_the_lane_is_sideways_in_each_pass() -> None:
    x_mm, y_mm = position(7.0, SIDE_MM, PITCH_MM, 0.0)
    assert position(7.0, SIDE_MM, PITCH_MM, 0.4) == pytest.approx((x_mm, y_mm + 0.4))
    x_mm, y_mm = position(LENGTH_MM + 7.0, SIDE_MM, PITCH_MM, 0.0)
    assert position(LENGTH_MM + 7.0, SIDE_MM, PITCH_MM, -0.4) == pytest.approx((x_mm - 0.4, y_mm))


def test_a_perfect_walk_never_leaves_the_square() -> None:
    points = walk(2)
    assert all(0.0 <= x <= SIDE_MM and 0.0 <= y <= SIDE_MM for x, y in points)
    edges = [n * LENGTH_MM for n in range(1, 200)]
    assert min(min(position(edge, SIDE_MM, PITCH_MM, 0.0)) for edge in edges) >= 0.0


@pytest.mark.parametrize("passes", [1, 2])
def test_a_perfect_walk_covers_the_inside_of_the_zone_evenly(passes: int) -> None:
    counts = covered(walk(passes), margin_mm=5.0)
    mean = sum(counts) / len(counts)
    assert max(counts) / mean < 1.2
    assert min(counts) / mean > 0.6
