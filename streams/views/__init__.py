"""The live views."""

from streams.view import View
from streams.views import stock

VIEWS: tuple[View, ...] = (stock.VIEW,)
