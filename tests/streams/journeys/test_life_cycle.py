"""The value life cycle: three figures, a rhythm, a stage, and the moment of the next change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.journeys.life_cycle import Purchases, changes_at, lapses_at, purchase, rhythm, stage_at
from streams.journeys.words import DAY_US

TIMES = st.lists(st.integers(0, 500 * DAY_US), min_size=1, max_size=12)


def bought(*times: int) -> Purchases:
    found = None
    for at in times:
        found = purchase(found, at)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("days", "expected"),
    [((5,), 30), ((5, 5), 30), ((0, 20), 20), ((0, 20, 30), 15), ((0, 1), 7), ((0, 400), 90)],
)
def test_the_rhythm_is_the_mean_time_between_purchases_within_bounds(
    days: tuple[int, ...], expected: int
) -> None:
    assert rhythm(bought(*[day * DAY_US for day in days])) == expected * DAY_US


def test_a_rhythm_that_does_not_come_out_even_is_rounded_down_to_the_microsecond() -> None:
    assert rhythm(bought(0, 1, 2, 61 * DAY_US)) == 61 * DAY_US // 3


def test_stages_change_at_exactly_two_and_four_rhythms() -> None:
    once = bought(0)
    edges = [0, 60 * DAY_US - 1, 60 * DAY_US, 120 * DAY_US - 1, 120 * DAY_US]
    assert [stage_at(once, now) for now in edges] == ["new", "new", "at_risk", "at_risk", "lapsed"]
    assert stage_at(bought(0, 0), 0) == "active"
    assert lapses_at(once) == 120 * DAY_US


@given(TIMES, st.integers(0, 400 * DAY_US))
def test_the_next_change_is_the_next_moment_at_which_the_stage_differs(
    times: list[int], silence: int
) -> None:
    known = bought(*times)
    now = known.last_at + silence
    change = changes_at(known, now)
    if change is None:
        assert stage_at(known, now) == "lapsed"
        return
    assert change > now
    assert stage_at(known, now) == stage_at(known, change - 1) != stage_at(known, change)


@given(st.data(), TIMES)
def test_late_and_shuffled_purchases_come_to_the_same(data: st.DataObject, times: list[int]) -> None:
    assert bought(*data.draw(st.permutations(times))) == bought(*times)
