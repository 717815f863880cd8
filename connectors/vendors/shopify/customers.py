"""Who the shop knows, what they allow, and what they ask to be forgotten."""

from connectors.protocol import documents, people
from connectors.protocol.channel import Verdict
from connectors.protocol.documents import Unfit
from connectors.vendors.shopify.payload import Buyer, EmailConsent, Privacy
from connectors.vendors.shopify.shop import Shop, address_of, name_of
from schemas.events.activity import AccessRequested, ConsentChanged, CustomerReported, ErasureRequested


def customer(shop: Shop, body: bytes) -> Verdict:
    buyer = documents.read(body, Buyer)
    if buyer.id is None:
        raise Unfit("a customer has no id")
    at = shop.at(buyer.updated_at)
    event = CustomerReported(
        meta=shop.meta(CustomerReported, f"{buyer.id}:{buyer.updated_at}", at, shop.known(buyer)),
        customer_id=str(buyer.id),
        updated_at=at,
        email=people.address_of(buyer.email),
        phone=people.number_of(buyer.phone, shop.source.region),
        name=name_of(buyer),
        addresses=[address_of(place) for place in buyer.addresses],
        tags=[tag.strip() for tag in buyer.tags.split(",") if tag.strip()],
    )
    return Verdict([event])


def consent(shop: Shop, body: bytes) -> Verdict:
    found = documents.read(body, EmailConsent)
    told = found.email_marketing_consent
    if told is None:
        return Verdict()
    who = people.known_as(shop.source.name, customer_id=found.customer_id, email=found.email_address)
    at = shop.at(told.consent_updated_at)
    event = ConsentChanged(
        meta=shop.meta(
            ConsentChanged, f"email:{found.customer_id}:{told.consent_updated_at}:{told.state}", at, who
        ),
        purpose="marketing",
        medium="email",
        address=people.address_of(found.email_address),
        granted=told.state == "subscribed",
        legal_basis="consent" if told.opt_in_level else None,
    )
    return Verdict([event])


def redacted(shop: Shop, body: bytes) -> Verdict:
    found = documents.read(body, Privacy)
    orders = [str(order) for order in found.orders_to_redact]
    named = f"{found.customer.id or ''}:{','.join(orders)}"
    event = ErasureRequested(
        meta=shop.meta(ErasureRequested, named, None, shop.known(found.customer)),
        request_id=f"{shop.source.name}:{named}",
        subjects=shop.known(found.customer),
        order_ids=orders,
    )
    return Verdict([event])


def requested(shop: Shop, body: bytes) -> Verdict:
    found = documents.read(body, Privacy)
    named = str(found.data_request.id if found.data_request else found.customer.id)
    event = AccessRequested(
        meta=shop.meta(AccessRequested, named, None, shop.known(found.customer)),
        request_id=f"{shop.source.name}:{named}",
        subjects=shop.known(found.customer),
        order_ids=[str(order) for order in found.orders_requested],
    )
    return Verdict([event])
