import pytest

from simulator.line import CHUNKS_MAX, Line, Weather


def test_a_perfect_line_delivers_everything_at_once_and_in_order() -> None:
    line = Line(1)
    for number in range(10):
        line.send(bytes([number]), 1.0)
    assert line.deadline_s() == 1.0
    assert line.deliver(1.0) == bytes(range(10))
    assert line.deadline_s() is None


def test_delay_and_jitter_keep_the_order() -> None:
    line = Line(1, delay_s=0.1, jitter_s=0.2)
    for number in range(100):
        line.send(bytes([number]), number / 1000)
    assert line.deliver(0.09) == b""
    assert line.deliver(1.0) == bytes(range(100))


def test_the_same_seed_does_the_same_to_the_same_bytes() -> None:
    def run(seed: int) -> bytes:
        line = Line(seed, loss=0.2, jitter_s=0.05, flip_rate=0.05, duplicate=0.1, reorder=0.2)
        out = b""
        for number in range(200):
            line.send(bytes([number]) * 4, number / 100)
            out += line.deliver(number / 100)
        return out + line.deliver(100.0)

    assert run(1) == run(1)
    assert run(1) != run(2)


@pytest.mark.hazard("H11")
def test_loss_duplicates_flips_and_reordering_happen_about_as_often_as_asked() -> None:
    lossy, double, noisy, shuffled = (
        Line(1, loss=0.5), Line(1, duplicate=0.5), Line(1, flip_rate=0.5), Line(1, reorder=0.5),
    )  # fmt: skip
    for line in (lossy, double, noisy, shuffled):
        for number in range(200):
            line.send(bytes([number]), number / 1000)
    assert 60 < len(lossy.deliver(9.0)) < 140
    assert 260 < len(double.deliver(9.0)) < 340
    noise = [a ^ b for a, b in zip(noisy.deliver(9.0), range(200), strict=True)]
    assert 60 < sum(bits != 0 for bits in noise) < 140
    assert all(bits.bit_count() <= 1 for bits in noise)
    order = list(shuffled.deliver(9.0))
    assert sorted(order) == list(range(200))
    assert order != sorted(order)


@pytest.mark.hazard("H10")
def test_a_silent_line_tells_nobody() -> None:
    line = Line(1)
    line.silent = True
    line.send(b"lost", 0.0)
    assert line.deliver(9.0) == b""
    assert line.lost == 1


def test_what_is_on_the_way_is_bounded() -> None:
    line = Line(1, delay_s=1.0)
    for _ in range(CHUNKS_MAX + 5):
        line.send(b"x", 0.0)
    assert line.lost == 5
    assert len(line.deliver(1.0)) == CHUNKS_MAX


@pytest.mark.parametrize(
    ("name", "value"),
    [("loss", 1.1), ("flip_rate", -0.1), ("delay_s", 61.0), ("loss", float("nan"))],
)
def test_what_is_no_share_and_no_time_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} is {value}"):
        Weather(**{name: value})
