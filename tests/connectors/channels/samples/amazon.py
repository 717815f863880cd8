"""Amazon's notifications, after the examples in the vendor's own schemas."""

import json
from typing import Any

from connectors.channels.amazon import CHANNEL
from connectors.protocol.channel import Request, Source
from tests.connectors.channels.sampling import Sample, Samples, post, with_headers

SECRET = "the key of our API destination"
METADATA = {
    "ApplicationId": "app-id",
    "SubscriptionId": "subscription-id",
    "PublishTime": "2020-07-13T19:42:04.284Z",
    "NotificationId": "d0e9e693-c3ad-4373-979f-ed4ec98dd746",
}


def sign(request: Request, secret: str) -> Request:
    return with_headers(request, authorization=f"Bearer {secret}") if secret else request


def told(kind: str, payload: Any) -> dict[str, Any]:
    return {
        "NotificationVersion": "1.0",
        "NotificationType": kind,
        "PayloadVersion": "1.0",
        "EventTime": "2020-01-11T00:09:53.109Z",
        "Payload": payload,
        "NotificationMetadata": METADATA,
    }


def camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {name[0].lower() + name[1:]: camel(inner) for name, inner in value.items()}
    return [camel(each) for each in value] if isinstance(value, list) else value


def sent(document: Any) -> Request:
    return post(json.dumps(document).encode())


def order(status: str, change: str, *, is_asked: bool = False) -> dict[str, Any]:
    item = {
        "OrderItemId": "OIID34853450",
        "SellerSKU": "dress-36",
        "OrderItemStatus": status,
        "Quantity": 10,
        "QuantityShipped": 0,
        "IsBuyerRequestedCancel": is_asked,
    }
    summary = {
        "MarketplaceId": "A1805IZSGTT6HS",
        "OrderStatus": status,
        "PurchaseDate": "2022-07-13T19:42:04.284Z",
        "DestinationPostalCode": "48110",
        "FulfillmentType": "MFN",
        "OrderType": "StandardOrder",
        "OrderItems": [item],
    }
    trigger = {"TimeOfOrderChange": "2022-11-29T19:42:04.284Z", "ChangeReason": "Buyer Requested Cancel"}
    change_told = {
        "NotificationLevel": "OrderLevel",
        "SellerId": "A3TH9S8BH6GOGM",
        "AmazonOrderId": "903-8868176-2219830",
        "OrderChangeType": change,
        "OrderChangeTrigger": trigger,
        "Summary": summary,
    }
    return told("ORDER_CHANGE", {"OrderChangeNotification": change_told})


def market(marketplace: str, fulfillable: int) -> dict[str, Any]:
    return {
        "MarketplaceId": marketplace,
        "ItemName": "Dress",
        "FulfillmentInventory": {"Fulfillable": fulfillable, "Unfulfillable": 0, "Researching": 0},
    }


FBA = told(
    "FBA_INVENTORY_AVAILABILITY_CHANGES",
    {
        "SellerId": "A3TH9S8BH6GOGM",
        "FNSKU": "X001ABCDEF",
        "ASIN": "B00001ABCD",
        "SKU": "dress-36",
        "FulfillmentInventoryByMarketplace": [market("A1805IZSGTT6HS", 50), market("A1PA6795UKMFR9", 40)],
    },
)
MFN = told(
    "LISTINGS_ITEM_MFN_QUANTITY_CHANGE",
    {"SellerId": "A3TH9S8BH6GOGM", "FulfillmentChannelCode": "DEFAULT", "Sku": "dress-36", "Quantity": 99},
)
PACKAGE = {"PackageNumber": 1, "CarrierCode": "DHL", "TrackingNumber": "JVGL01"}
SHIPPED = told(
    "FULFILLMENT_ORDER_STATUS",
    {
        "FulfillmentOrderStatusNotification": {
            "SellerId": "A3TH9S8BH6GOGM",
            "EventType": "Shipment",
            "StatusUpdatedDateTime": "2020-01-11T00:09:53Z",
            "SellerFulfillmentOrderId": "1001",
            "FulfillmentOrderStatus": "Complete",
            "FulfillmentShipment": {
                "FulfillmentShipmentStatus": "Shipped",
                "AmazonShipmentId": "DnMDLWJWN",
                "FulfillmentShipmentPackages": [PACKAGE, {**PACKAGE, "TrackingNumber": "JVGL02"}],
            },
        }
    },
)

SAMPLES = Samples(
    CHANNEL,
    Source("amazon-nl", (SECRET,), {"stores": {"DEFAULT": "haarlem"}}),
    SECRET,
    sign,
    (
        Sample(
            "the buyer wants it cancelled",
            sent(order("Unshipped", "BuyerRequestedChange", is_asked=True)),
            ("CancellationRequested",),
            fetches=("order",),
        ),
        Sample(
            "cancelled",
            sent(order("Canceled", "OrderStatusChange")),
            ("OrderCancelled",),
            fetches=("order",),
        ),
        Sample("shipped", sent(order("Shipped", "OrderStatusChange")), fetches=("order",)),
        Sample(
            "in camelCase",
            sent(camel(order("Canceled", "OrderStatusChange"))),
            ("OrderCancelled",),
            fetches=("order",),
        ),
        Sample(
            "by EventBridge",
            sent({"version": "0", "detail-type": "x", "detail": MFN}),
            ("StockLevelReported",),
        ),
        Sample("stock at Amazon", sent(FBA), ("StockLevelReported", "StockLevelReported")),
        Sample("stock that is offered", sent(MFN), ("StockLevelReported",)),
        Sample("packages", sent(SHIPPED), ("OrderShipped", "ParcelLinked", "ParcelLinked")),
        Sample("another", sent(told("ANY_OFFER_CHANGED", {"AnyOfferChangedNotification": {}}))),
        Sample("an order without its id", sent(told("ORDER_CHANGE", {})), rejected=1),
        Sample("one that is no JSON", post(b"notification"), rejected=1),
    ),
    covers_body=False,
)
