"""What people want to see after the demo: tables out of the mart."""

from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from rich.console import Console
from rich.table import Table

from deploy.demo.selfcheck import DIFFERENCES_SHOWN_MAX, Finding


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the query that answers it."""

    title: str
    query: LiteralString


QUESTIONS = (
    Question(
        "Revenue by week, with the three strongest stores",
        """
        WITH weekly AS (
            SELECT date_trunc('week', business_date)::date AS week, location_id, sum(total) AS revenue,
                   count(*) AS baskets
            FROM mart.orders GROUP BY 1, 2
        ), ranked AS (
            SELECT *, row_number() OVER (PARTITION BY week ORDER BY revenue DESC, location_id) AS place FROM weekly
        )
        SELECT week AS "week from", sum(baskets)::bigint AS baskets, round(sum(revenue), 2) AS revenue,
               string_agg(location_id || ': ' || round(revenue, 2), '  ' ORDER BY place) FILTER (WHERE place <= 3)
                   AS "strongest stores"
        FROM ranked GROUP BY 1 ORDER BY 1 DESC LIMIT 10
        """,
    ),
    Question(
        "Top products",
        """
        SELECT l.sku, p.name, p.category, sum(l.quantity)::bigint AS units, round(sum(l.total), 2) AS revenue
        FROM mart.order_lines l LEFT JOIN mart.products p USING (sku)
        GROUP BY 1, 2, 3 ORDER BY revenue DESC LIMIT 8
        """,
    ),
    Question(
        "Customers by stage",
        """
        SELECT stage, count(*) AS customers, round(avg(order_count), 1) AS "orders each",
               round(avg(revenue), 2) AS "revenue each"
        FROM mart.profiles WHERE order_count > 0 GROUP BY 1 ORDER BY 2 DESC
        """,
    ),
    Question(
        "Shelves",
        """
        SELECT count(*) AS shelves, sum(available) AS "units available", sum(shortage) AS "units short",
               count(*) FILTER (WHERE on_hand = 0) AS "at 0", count(*) FILTER (WHERE on_hand < 0) AS "below 0"
        FROM mart.stock_levels
        """,
    ),
    Question(
        "Notifications",
        """
        SELECT journey, channel, status, count(*) AS notifications, count(DISTINCT profile_id) AS customers
        FROM mart.notifications GROUP BY 1, 2, 3 ORDER BY 4 DESC
        """,
    ),
)


def show(dsn: str, console: Console) -> None:
    """Prints each question's answer."""
    with psycopg.connect(dsn) as connection:
        for question in QUESTIONS:
            cursor = connection.execute(question.query)
            names = [column.name for column in cursor.description or ()]
            console.print(_table(question.title, names, cursor.fetchall()))


def show_findings(findings: list[Finding], console: Console) -> None:
    """Prints what the self-check compared, and every difference up to a bound."""
    rows = [(finding.name, finding.compared, len(finding.differences) or "none") for finding in findings]
    console.print(
        _table("Self-check against the data set", ["what", "figures compared", "differences"], rows)
    )
    for finding in findings:
        for what, expected, found in finding.differences[:DIFFERENCES_SHOWN_MAX]:
            console.print(
                f"  {finding.name}, {what}: expected {expected}, found {found}", style="red", markup=False
            )
        if len(finding.differences) > DIFFERENCES_SHOWN_MAX:
            console.print(f"  ... and {len(finding.differences) - DIFFERENCES_SHOWN_MAX} more", style="red")


def _table(title: str, names: list[str], rows: list[Any]) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    for number, name in enumerate(names):
        is_figure = any(
            isinstance(row[number], int | float) or hasattr(row[number], "quantize") for row in rows
        )
        table.add_column(name, justify="right" if is_figure else "left")
    for row in rows:
        table.add_row(*("" if value is None else _text(value) for value in row))
    return table


def _text(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) or hasattr(value, "quantize") else str(value)
