"""Every table that the Postgres sink fills."""

from sinks.projections import (
    archive,
    identities,
    journeys,
    notification_outcomes,
    notifications,
    order_lines,
    orders,
    products,
    profiles,
    stock_ledger,
    stock_levels,
)

PROJECTIONS = (
    archive.PROJECTION,
    profiles.PROJECTION,
    identities.PROJECTION,
    orders.PROJECTION,
    order_lines.PROJECTION,
    stock_levels.PROJECTION,
    stock_ledger.PROJECTION,
    products.PROJECTION,
    journeys.PROJECTION,
    notifications.PROJECTION,
    notification_outcomes.PROJECTION,
)
