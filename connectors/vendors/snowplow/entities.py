"""What is attached to an event of Snowplow's: the product, the cart, the session that it is about."""

from collections.abc import Iterator

from connectors.vendors.snowplow.payload import Described
from connectors.vendors.web.addresses import Addresses
from connectors.vendors.web.properties import Properties


class Entities:
    """Finds them by the name of their schema."""

    def __init__(self, addresses: Addresses, described: list[Described]) -> None:
        self._found = [(each.name, addresses.all_cleaned(each.data)) for each in described]

    def one(self, name: str) -> Properties:
        """The first of that name, else one that says nothing."""
        return next(self.each(name), Properties(None))

    def each(self, name: str) -> Iterator[Properties]:
        """All of that name."""
        return (Properties(told) for found, told in self._found if found == name and isinstance(told, dict))
