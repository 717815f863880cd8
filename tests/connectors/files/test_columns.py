"""Columns become our values: each kind from each type that files and frames have."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.files.columns import AMOUNT, DAY, FLAG, INSTANT, INTEGER, TEXT, Manner, convert
from connectors.files.forms import ColumnForm

PLAIN = Manner(ColumnForm(), "Europe/Amsterdam", "Europe/Amsterdam")
NOON_UTC = 1_767_268_800_000_000


def converted(column: Any, kind: str, **form: Any) -> tuple[list[Any], list[int]]:
    values, bad = convert(
        pa.array(column), kind, Manner(ColumnForm(**form), "Europe/Amsterdam", "Europe/Amsterdam")
    )
    return values.to_pylist(), bad


@pytest.mark.parametrize(
    ("kind", "column", "values"),
    [
        (TEXT, [1, None, 20**12], ["1", None, str(20**12)]),
        (TEXT, [1.0, None, 2.0], ["1", None, "2"]),
        (TEXT, [1.5, 2.0], ["1.5", "2"]),
        (TEXT, ["a", "", " ", " b "], ["a", None, None, " b "]),
        (TEXT, [date(2026, 1, 2)], ["2026-01-02"]),
        (TEXT, [True], ["true"]),
        (TEXT, pa.array(["x", "y", "x"]).dictionary_encode(), ["x", "y", "x"]),
        (INTEGER, ["12", " -3 ", "", None], [12, -3, None, None]),
        (INTEGER, [2.0, None], [2, None]),
        (AMOUNT, ["0.1", "12", "-5.2500", " 1 ", ""], [1000, 120_000, -52_500, 10_000, None]),
        (AMOUNT, [0.1, 1.25, None, -3.0], [1000, 12_500, None, -30_000]),
        (AMOUNT, [3, None], [30_000, None]),
        (AMOUNT, [Decimal("1.2345")], [12_345]),
        (INSTANT, ["2026-01-01T13:00:00", "2026-01-01 12:00:00Z", "2026-01-01T14:00:00+02:00"], [NOON_UTC] * 3),
        (INSTANT, ["2026-01-01 13:00", "2026-01-01 13:00:00.000001"], [NOON_UTC, NOON_UTC + 1]),
        (INSTANT, [datetime(2026, 1, 1, 13)], [NOON_UTC]),  # noqa: DTZ001
        (INSTANT, pa.array([NOON_UTC], pa.timestamp("us", "America/New_York")), [NOON_UTC]),
        (INSTANT, [date(2026, 1, 1)], [NOON_UTC - 13 * 3_600_000_000]),
        (DAY, ["2026-01-01", date(2026, 1, 1).isoformat() + "T23:30:00"], [20_454, 20_454]),
        (DAY, ["2026-01-01T23:30:00Z"], [20_455]),
        (DAY, [date(2026, 1, 1)], [20_454]),
        (FLAG, ["true", "No", "1", ""], [True, False, True, None]),
        (FLAG, [1, 0], [True, False]),
        (FLAG, [True, None], [True, None]),
        (AMOUNT, pa.nulls(2), [None, None]),
    ],
)  # fmt: skip
def test_values_are_taken_as_they_are_meant(kind: str, column: Any, values: list[Any]) -> None:
    assert converted(column, kind) == (values, [])


@pytest.mark.parametrize(
    ("kind", "column", "bad"),
    [
        (INTEGER, ["1", "x", "2.0", "3"], [1, 2]),
        (INTEGER, [1.5, 2.0], [0]),
        (INTEGER, [True], [0]),
        (AMOUNT, [0.1 + 0.2, 0.3], [0]),
        (AMOUNT, ["1e3", "1,5", "1.23456", "99999999999999.9999", "999999999999999"], [0, 1, 2, 4]),
        (AMOUNT, [1e13, float("inf")], [0, 1]),
        (AMOUNT, [True], [0]),
        (INSTANT, ["2026-02-30 00:00:00", "2026-01-01T00:00:00", "now"], [0, 2]),
        (INSTANT, [1_767_268_800], [0]),
        (DAY, ["2026-13-01"], [0]),
        (FLAG, ["maybe", "2"], [0, 1]),
        (TEXT, [b"x"], [0]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_found_and_stands_alone(kind: str, column: Any, bad: list[int]) -> None:
    values, found = converted(column, kind)
    assert found == bad
    assert [index for index, value in enumerate(values) if value is None] == bad


def test_a_column_says_how_it_is_written() -> None:
    assert converted(["1,50", "2"], AMOUNT, decimal_mark=",") == ([15_000, 20_000], [])
    assert converted(["1.50"], AMOUNT, decimal_mark=",") == ([None], [0])
    assert converted(["01/02/2026 13:00"], INSTANT, format="%d/%m/%Y %H:%M") == ([1_769_947_200_000_000], [])
    assert converted(["01-02-26"], DAY, format="%d-%m-%y") == ([20_485], [])
    assert converted([1_767_268_800], INSTANT, epoch="s") == ([NOON_UTC], [])
    assert converted(["1767268800000"], INSTANT, epoch="ms") == ([NOON_UTC], [])


def test_a_time_that_no_schema_holds_does_not_fit() -> None:
    assert converted([1_767_268_800, 10**15], INSTANT, epoch="ms")[1] == [1]
    assert converted(["2026-01-01T00:00:00", "29999-01-01T00:00:00"], INSTANT)[1] == [1]
    assert converted(pa.array([0, 10**7], pa.date32()), DAY)[1] == [1]


def test_noise_of_floats_is_taken_away_only_where_the_column_says_so_and_nothing_more() -> None:
    assert converted([0.1 + 0.2, 1.776357e-15, 0.125], AMOUNT, decimals=2) == ([3000, 0, None], [2])


def test_a_local_time_that_comes_twice_is_the_earlier_and_one_that_is_skipped_the_change_itself() -> None:
    twice, skipped = converted(["2026-10-25 02:30:00", "2026-03-29 02:30:00"], INSTANT)[0]
    assert datetime.fromisoformat("2026-10-25T00:30:00+00:00").timestamp() * 1_000_000 == twice
    assert datetime.fromisoformat("2026-03-29T01:00:00+00:00").timestamp() * 1_000_000 == skipped


def test_the_day_is_the_shops_whatever_zone_the_column_is_in() -> None:
    late = Manner(ColumnForm(zone="UTC"), "UTC", "America/New_York")
    assert convert(pa.array(["2026-01-02 04:59:59", "2026-01-02 05:00:00"]), DAY, late)[0].to_pylist() == [
        20_454,
        20_455,
    ]


@given(st.lists(st.decimals(-(10**10), 10**10, places=4)))
def test_amounts_of_floats_are_exact(amounts: list[Decimal]) -> None:
    floats = pa.array([float(amount) for amount in amounts], pa.float64())
    assert convert(floats, AMOUNT, PLAIN)[0].to_pylist() == [int(amount * 10_000) for amount in amounts]
