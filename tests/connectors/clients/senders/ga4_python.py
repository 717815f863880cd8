"""Sends as a shop's server does with ga4mp; the validating server first."""

import sys
from datetime import datetime, timedelta

from ga4mp import GtagMP

url = sys.argv[1]
client = GtagMP("ga4-api-secret", "G-1234", "1092437.1732")
client._base_domain, client._validation_domain = f"{url}/mp/collect", f"{url}/debug/mp/collect"
client.store.set_user_property("tier", "gold")

viewed = client.create_new_event("page_view")
viewed.set_event_param("page_location", "https://shop.example/?utm_source=mail&token=1")
bought = client.create_new_event("purchase")
for name, value in {"transaction_id": "T_1", "currency": "EUR", "value": 33.0, "tax": 6.9}.items():
    bought.set_event_param(name, value)
item = bought.create_new_item("dress-36", "Dress")
item.set_parameter("price", 16.5)
item.set_parameter("quantity", 2)
bought.add_item_to_event(item)
client.send([viewed, bought], validation_hit=True)
client.send([viewed, bought], date=datetime.now() - timedelta(minutes=10))  # noqa: DTZ005 (as ga4mp compares it)
