"""One shelf: buckets that are never negative, shortage apart, a memory that is bounded."""

from hypothesis import given
from hypothesis import strategies as st

from streams.views.stock_shelf import (
    BUCKETS,
    OUTSIDE,
    REMEMBERED_MAX,
    REMEMBERED_US,
    Shelf,
    digest,
    move,
    recount,
    remember,
)

PLACES = (*BUCKETS, OUTSIDE)
MOVES = st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(PLACES), st.integers(1, 9)), max_size=30)


def test_a_sale_takes_what_is_available_first_and_then_safety_stock() -> None:
    shelf = Shelf(available=2, safety=3, damaged=4)
    assert move(shelf, "available", OUTSIDE, 4) == [("available", -2), ("safety", -2)]
    assert (shelf.available, shelf.safety, shelf.damaged, shelf.shortage) == (0, 1, 4, 0)


def test_what_no_bucket_can_give_is_shortage() -> None:
    shelf = Shelf(available=1, blocked=7)
    assert move(shelf, "available", OUTSIDE, 3) == [("available", -1), ("shortage", 2)]
    assert (shelf.blocked, shelf.shortage) == (7, 2)


def test_what_arrives_heals_shortage_first() -> None:
    shelf = Shelf(shortage=2)
    assert move(shelf, OUTSIDE, "quality_control", 5) == [("shortage", -2), ("quality_control", 3)]


def test_a_move_between_buckets_gives_no_more_than_there_is() -> None:
    shelf = Shelf(available=2)
    move(shelf, "available", "damaged", 5)
    assert (shelf.damaged, shelf.on_hand, shelf.shortage) == (2, 2, 0)


@given(MOVES)
def test_on_hand_less_shortage_is_what_came_in(
    moves: list[tuple[str, str, int]],
) -> None:
    shelf, ledger, came_in = Shelf(), Shelf(), 0
    for source, target, quantity in moves:
        for place, delta in move(shelf, source, target, quantity):
            setattr(ledger, place, getattr(ledger, place) + delta)
        came_in += quantity * ((source is OUTSIDE) - (target is OUTSIDE))
    assert min(getattr(shelf, place) for place in (*BUCKETS, "shortage")) >= 0
    assert shelf.on_hand - shelf.shortage == came_in
    assert ledger == shelf


def test_a_count_adds_what_moved_since_the_moment_that_it_is_about() -> None:
    shelf = Shelf(available=7)
    remember(shelf, digest("before"), 10, "available", OUTSIDE, 1)
    remember(shelf, digest("after"), 11, "available", OUTSIDE, 2)
    assert recount(shelf, {"available": 20, "damaged": 1}, as_of=10) == [("available", 11), ("damaged", 1)]
    assert (shelf.available, shelf.damaged) == (18, 1)


def test_a_count_settles_the_shortage_and_empties_what_it_does_not_name() -> None:
    shelf = Shelf(blocked=2, shortage=3)
    assert recount(shelf, {"available": 1}, as_of=1) == [("available", 1), ("blocked", -2), ("shortage", -3)]


def test_no_more_than_the_newest_movements_are_remembered() -> None:
    shelf = Shelf()
    for number in range(REMEMBERED_MAX + 3):
        remember(shelf, digest(str(number)), number, "available", OUTSIDE, 1)
    assert len(shelf.recent_ids) == REMEMBERED_MAX * 8
    assert [digest(str(number)) in shelf.recent_ids for number in (2, 3)] == [False, True]
    assert shelf.forgotten_until == 2


def test_movements_are_forgotten_when_they_are_old() -> None:
    shelf = Shelf()
    remember(shelf, digest("old"), 5, "available", OUTSIDE, 1)
    remember(shelf, digest("week"), 5 + REMEMBERED_US, "available", OUTSIDE, 1)
    assert digest("old") in shelf.recent_ids
    remember(shelf, digest("later"), 6 + REMEMBERED_US, "available", OUTSIDE, 1)
    assert shelf.recent_ids == digest("week") + digest("later")
    assert shelf.forgotten_until == 5


def test_a_late_movement_makes_the_shelf_forget_nothing_that_is_young() -> None:
    shelf = Shelf()
    remember(shelf, digest("young"), 2 * REMEMBERED_US, "available", OUTSIDE, 1)
    remember(shelf, digest("late"), 1, "available", OUTSIDE, 1)
    assert shelf.recent_ids == digest("young") + digest("late")
    assert (shelf.updated_at, shelf.forgotten_until) == (2 * REMEMBERED_US, 0)
