"""The live views."""

from streams.view import View
from streams.views import orders, stock

VIEWS: tuple[View, ...] = (orders.VIEW, stock.VIEW)
