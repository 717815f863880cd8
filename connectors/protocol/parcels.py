"""Where a parcel is, in one set of words for all carriers.

| status | what is true |
| --- | --- |
| announced | the carrier was told of it |
| collected | the carrier has it |
| in_transit | on its way |
| out_for_delivery | on the van |
| at_pickup_point | waits for the customer |
| delivered | the customer, or someone for them, has it |
| failed_attempt | it was brought, and could not be handed over |
| returning | on its way back |
| exception | delayed, lost, damaged or the like |
| cancelled | it will not be sent |
| unknown | the carrier has a new word for it, which stands in `raw_code` |
"""

ANNOUNCED, COLLECTED, IN_TRANSIT = "announced", "collected", "in_transit"
OUT_FOR_DELIVERY, AT_PICKUP_POINT, DELIVERED = "out_for_delivery", "at_pickup_point", "delivered"
FAILED_ATTEMPT, RETURNING, EXCEPTION = "failed_attempt", "returning", "exception"
CANCELLED, UNKNOWN = "cancelled", "unknown"
