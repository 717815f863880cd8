"""The demo's self-check: what Postgres holds against what the data set says, computed by code that shares nothing.

Expected figures come from the data frames by pandas and plain loops: no vaart room, no mapping file, no event is used.
Amounts are compared in cents, counts and units exactly; every difference is listed.
"""

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd
import psycopg

DIFFERENCES_SHOWN_MAX = 10
SHOP_ZONE = "America/New_York"
WEEK_1_BEGINS = date(2016, 12, 26)
"""A Monday; the set's week 1 has only its last day."""

DAY_US = 86_400_000_000
RHYTHM_FIRST_US, RHYTHM_MIN_US, RHYTHM_MAX_US = 30 * DAY_US, 7 * DAY_US, 90 * DAY_US


@dataclass(frozen=True, slots=True)
class Finding:
    """One comparison: how many figures were compared, and those that differ as (what, expected, found)."""

    name: str
    compared: int
    differences: list[tuple[str, Any, Any]]


def check(transactions: pd.DataFrame, until: int, dsn: str) -> list[Finding]:
    """Compares all that the demo promises: `transactions` as replayed, up to `until` (microseconds UTC)."""
    with psycopg.connect(dsn) as connection:
        return [
            _compare("totals", totals(transactions), _rows(connection, TOTALS)),
            _compare(
                "per store: baskets, cents", _per(transactions, "store_id"), _rows(connection, PER_STORE)
            ),
            _compare(
                "per week: baskets, cents", _per(transactions, "week"), _by_week(_rows(connection, PER_DAY))
            ),
            _compare("per shelf: opened, sold, final", shelves(transactions), _rows(connection, SHELVES)),
            _compare("shelves that went short or below 0", {"shelves": 0}, _rows(connection, BELOW_ZERO)),
            _compare("customers by stage", _stages(transactions, until), _rows(connection, STAGES)),
            _compare(
                "notifications by kind", _notifications(transactions, until), _rows(connection, NOTIFICATIONS)
            ),
        ]


TOTALS = """
    SELECT 'households', count(DISTINCT profile_id)::bigint FROM mart.orders
    UNION ALL SELECT 'baskets', count(*) FROM mart.orders
    UNION ALL SELECT 'lines', count(*) FROM mart.order_lines
    UNION ALL SELECT 'cents', (sum(total) * 100)::bigint FROM mart.orders
    UNION ALL SELECT 'discount cents', (sum(discount) * 100)::bigint FROM mart.orders
    UNION ALL SELECT 'cents of lines', (sum(total) * 100)::bigint FROM mart.order_lines
    UNION ALL SELECT 'orders of profiles', sum(order_count)::bigint FROM mart.profiles
    UNION ALL SELECT 'cents of profiles', (sum(revenue) * 100)::bigint FROM mart.profiles
"""
PER_STORE = "SELECT location_id, count(*), (sum(total) * 100)::bigint FROM mart.orders GROUP BY 1"
PER_DAY = "SELECT business_date, count(*), (sum(total) * 100)::bigint FROM mart.orders GROUP BY 1"
SHELVES = """
    SELECT s.sku || '/' || s.location_id, coalesce(l.opened, 0), coalesce(l.sold, 0), s.on_hand
    FROM mart.stock_levels s
    LEFT JOIN (SELECT sku, location_id, coalesce(sum(delta) FILTER (WHERE kind = 'counted'), 0)::bigint AS opened,
                 coalesce(-sum(delta) FILTER (WHERE kind = 'sold'), 0)::bigint AS sold
          FROM mart.stock_ledger GROUP BY 1, 2) l USING (sku, location_id)
"""
BELOW_ZERO = (
    "SELECT 'shelves', count(*) FROM mart.stock_levels WHERE shortage <> 0 OR least(available, on_hand) < 0"
)
STAGES = "SELECT stage, count(*) FROM mart.profiles WHERE order_count > 0 GROUP BY 1"
NOTIFICATIONS = "SELECT journey, count(*) FROM mart.notifications GROUP BY 1"


def totals(transactions: pd.DataFrame) -> dict[str, Any]:
    """Households, baskets, lines and cents as the data set has them."""
    cents = int(_cents(transactions["sales_value"]).sum())
    discounts = sum(
        int(_cents(transactions[name]).sum()) for name in ("retail_disc", "coupon_disc", "coupon_match_disc")
    )
    baskets = int(transactions["basket_id"].nunique())
    return {
        "households": int(transactions["household_id"].nunique()),
        "baskets": baskets,
        "lines": len(transactions),
        "cents": cents,
        "discount cents": discounts,
        "cents of lines": cents,
        "orders of profiles": baskets,
        "cents of profiles": cents,
    }


def _per(transactions: pd.DataFrame, column: str) -> dict[Hashable, Any]:
    grouped = transactions.assign(cents=_cents(transactions["sales_value"])).groupby(column)
    found = grouped.agg(baskets=("basket_id", "nunique"), cents=("cents", "sum"))
    return {str(key): (int(row.baskets), int(row.cents)) for key, row in found.iterrows()}


def _by_week(per_day: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
    found: dict[Hashable, Any] = {}
    for day, (baskets, cents) in per_day.items():
        assert isinstance(day, date)
        week = str((day - WEEK_1_BEGINS) // timedelta(days=7) + 1)
        before = found.get(week, (0, 0))
        found[week] = (before[0] + baskets, before[1] + cents)
    return found


def shelves(transactions: pd.DataFrame) -> dict[Hashable, Any]:
    """Lines of 0 units leave a shelf that was counted at 0 and stays there."""
    units = transactions.groupby(["product_id", "store_id"])["quantity"].sum()
    rows: list[Any] = list(units.items())
    return {f"{sku}/{store}": (int(sold), int(sold), 0) for (sku, store), sold in rows}


def _stages(transactions: pd.DataFrame, until: int) -> dict[Hashable, Any]:
    return dict(Counter(_life(times, until)[0] for times in _purchases(transactions)))


def _notifications(transactions: pd.DataFrame, until: int) -> dict[Hashable, Any]:
    purchases = _purchases(transactions)
    lapses = sum(_life(times, until)[1] for times in purchases)
    return {kind: count for kind, count in {"thank_you": len(purchases), "win_back": lapses}.items() if count}


def _purchases(transactions: pd.DataFrame) -> list[list[int]]:
    """Per household the times of its baskets, in order (the set's timestamps are UTC, without saying so)."""
    baskets = transactions.drop_duplicates("basket_id")
    times = baskets["transaction_timestamp"].astype("datetime64[us]").astype("int64")
    return [sorted(group.tolist()) for _, group in times.groupby(baskets["household_id"])]


def _life(times: list[int], until: int) -> tuple[str, int]:
    """The stage at `until` of a customer who bought at `times`, and how often the customer lapsed on the way."""
    lapses, stage = 0, ""
    for count, (last, following) in enumerate(zip(times, [*times[1:], until], strict=True), 1):
        span = last - times[0]
        rhythm = min(max(span // (count - 1), RHYTHM_MIN_US), RHYTHM_MAX_US) if span else RHYTHM_FIRST_US
        stage = "new" if count == 1 else "active"
        if last + 4 * rhythm <= following:
            stage = "lapsed"
            lapses += 1
        elif last + 2 * rhythm <= following:
            stage = "at_risk"
    return stage, lapses


def _cents(column: pd.Series) -> pd.Series:
    return (column * 100).round().astype("int64")


def _rows(connection: psycopg.Connection[Any], query: str) -> dict[Hashable, Any]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {row[0]: row[1] if len(row) == 2 else tuple(row[1:]) for row in cursor}


def _compare(name: str, expected: Mapping[Any, Any], found: Mapping[Any, Any]) -> Finding:
    differences = [
        (str(key), expected.get(key), found.get(key))
        for key in sorted(expected.keys() | found.keys(), key=str)
        if expected.get(key) != found.get(key)
    ]
    return Finding(name, len(expected.keys() | found.keys()), differences)
