"""The catalogue of fetchers. A new one is one file and one line."""

from connectors.fetchers import adobe_commerce, bol, myparcel, ses, shopify, square
from connectors.protocol.fetcher import Fetcher

FETCHERS: tuple[Fetcher, ...] = (
    *adobe_commerce.FETCHERS,
    *bol.FETCHERS,
    *myparcel.FETCHERS,
    *ses.FETCHERS,
    *shopify.FETCHERS,
    *square.FETCHERS,
)
