"""A return at bol: that the customer asked for it, and what came back.

It names the order and the EAN, not the order's line: a line of these events is known by its EAN.
"""

from collections.abc import Iterator

from connectors.protocol import values
from connectors.protocol.channel import Source
from connectors.protocol.facts import Facts
from connectors.vendors.bol.orders import ZONE
from connectors.vendors.bol.payload import Processed, Return, ReturnItem
from schemas.events.lines import LineQuantity
from schemas.events.orders import ReturnReceived, ReturnRequested
from schemas.meta import Event, Instant

BY_BOL, BOL = "FBB", "bol"
RECEIVED = "RETURN_RECEIVED"
RETURNS_TO = "returns_to"
"""The option by which a source says which store or warehouse of ours its returns come to."""


def return_events(made: Facts, source: Source, found: Return) -> Iterator[Event]:
    """All that it tells as it is now. Raises Unfit."""
    place = BOL if found.fulfilment_method == BY_BOL else str(source.options.get(RETURNS_TO, source.name))
    for item in found.return_items:
        yield _requested(made, found, item)
        for result in item.processing_results:
            if result.handling_result == RECEIVED:
                yield _received(made, item, result, place)


def changed_at(found: Return) -> Instant:
    """When it was registered, or handled last. Raises Unfit."""
    handled = [each.processing_date_time for item in found.return_items for each in item.processing_results]
    return max(values.moment(text, ZONE) for text in (found.registration_date_time, *handled))


def _requested(made: Facts, found: Return, item: ReturnItem) -> Event:
    at = values.moment(found.registration_date_time, ZONE)
    return ReturnRequested(
        meta=made.meta(ReturnRequested, item.rma_id, at),
        order_id=item.order_id,
        return_id=item.rma_id,
        lines=[LineQuantity(line_id=item.ean, sku=item.ean, quantity=item.expected_quantity)],
        reason=item.return_reason.main_reason if item.return_reason else None,
    )


def _received(made: Facts, item: ReturnItem, result: Processed, place: str) -> Event:
    at = values.moment(result.processing_date_time, ZONE)
    return ReturnReceived(
        meta=made.meta(ReturnReceived, f"{item.rma_id}:{result.processing_date_time}", at),
        order_id=item.order_id,
        return_id=item.rma_id,
        lines=[LineQuantity(line_id=item.ean, sku=item.ean, quantity=result.quantity)],
        reason=item.return_reason.main_reason if item.return_reason else None,
        location_id=place,
    )
