"""How long a source is left alone."""

import pytest

from connectors.polling.waiting import WAIT_S_MAX, back_off_s, told_s

NOW_S = 1_764_000_000.0


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "-7"}, 0.0),
        ({"retry-after": "1e99"}, WAIT_S_MAX),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Mon, 24 Nov 2025 16:00:09 GMT"}, 9.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "12"}, 12.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1764000030"}, 30.0),
        ({"x-ratelimit-remaining": "3", "x-ratelimit-reset": "12"}, None),
    ],
)
def test_what_the_answer_says_is_kept_to_within_bounds(headers: dict[str, str], wait_s: float | None) -> None:
    assert told_s(headers, NOW_S) == wait_s


def test_back_off_doubles_with_jitter_up_to_its_end() -> None:
    assert [back_off_s(failures, lambda: 1.0) for failures in (1, 2, 3)] == [2.0, 4.0, 8.0]
    assert back_off_s(1, lambda: 0.0) == 1.0
    assert back_off_s(10_000, lambda: 1.0) == WAIT_S_MAX
