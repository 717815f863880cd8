"""The live views."""

from streams.view import View
from streams.views import identity, journeys, orders, profiles, stock

VIEWS: tuple[View, ...] = (identity.VIEW, orders.VIEW, stock.VIEW, profiles.VIEW, journeys.VIEW)
