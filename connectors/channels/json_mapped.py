"""Any sender of JSON, by a mapping of its documents to events of one type: review platforms, social networks, others.

| request | events |
| --- | --- |
| a document that the mapping fits | one of its type, or one for each of its items |
| a document that is not as `where` says | nothing |

```yaml
mapping:
  event: ReviewSubmitted          # its type
  items: /reviews                 # the list of them; else the document is one
  where: {/type: created}         # only those that hold these texts
  id: [/id, /version]             # what names the fact
  occurred_at: time /createdAt    # else it is when it came in
  customer: {email: /consumer/email}
  fields: {review_id: /id, platform: =trustpilot, rating: whole /stars}
```

What a value may be, and what else a mapping may say, stands in `connectors.protocol.mapping`. Mappings that are ready
stand in `deploy/mappings`.

How it is signed says `signed_by`: standard-webhooks, hmac (hexadecimal HMAC-SHA256 of the body in `header`, perhaps
after `sha256=`), bearer (a token of ours in `Authorization`), x or tiktok (`connectors.protocol.social_signatures`).
"""

from collections.abc import Callable, Iterator, Mapping

from connectors.protocol import (
    credentials,
    documents,
    facts,
    mapping,
    mapping_faults,
    signatures,
    social_signatures,
    standard_webhooks,
)
from connectors.protocol.channel import (
    Challenge,
    Channel,
    Evidence,
    Option,
    Outcome,
    Refused,
    Request,
    Source,
)
from connectors.protocol.documents import NotReadable, Unfit
from connectors.protocol.facts import Facts
from connectors.protocol.mapping import Rule

MEDIUM = "web"
STANDARD, HMAC, BEARER, X, TIKTOK = "standard-webhooks", "hmac", "bearer", "x", "tiktok"
HEADER, PREFIX = "x-signature", "sha256="


class Form(Rule):
    """A mapping as it is written."""

    items: str | None = None


def receive(request: Request, source: Source) -> Outcome:
    """One document. X asks now and then whether its secret is known here."""
    way = str(source.options.get("signed_by", STANDARD))
    if request.method == "GET":
        shown = social_signatures.answer_to_x(request, source) if way == X else None
        return Challenge(shown) if shown else Refused("it asks for nothing")
    if not _PROOFS.get(way, _standard)(request, source):
        return Refused("the signature does not fit")
    try:
        form = documents.fit(source.options.get("mapping"), Form)
        found = documents.parse(request.body)
    except (NotReadable, Unfit) as error:
        return facts.put_aside(request.body, error)
    items = found if form.items is None else mapping.at(found, form.items)
    made = Facts(request, source, form.medium)
    return facts.gather(
        items if isinstance(items, list) else [] if items is None else [items],
        lambda item: mapping.told(form, {"": item}, made, source),
    )


def _standard(request: Request, source: Source) -> bool:
    return standard_webhooks.is_signed(request, source.secrets)


def _hmac(request: Request, source: Source) -> bool:
    told = request.header(str(source.options.get("header", HEADER)).lower()) or ""
    return signatures.hmac_hex(source.secrets, request.body, told.removeprefix(PREFIX))


_PROOFS: Mapping[str, Callable[[Request, Source], bool]] = {
    STANDARD: _standard,
    HMAC: _hmac,
    BEARER: credentials.are_right,
    X: social_signatures.is_of_x,
    TIKTOK: social_signatures.is_of_tiktok,
}


def _faults(told: object) -> Iterator[str]:
    try:
        form = documents.fit(told, Form)
    except Unfit as error:
        yield str(error)
    else:
        yield from mapping_faults.faults(form)


CHANNEL = Channel(
    name="json_mapped",
    title="JSON by a mapping",
    medium=MEDIUM,
    receive=receive,
    proof="signature",
    methods=("POST", "GET"),
    evidence=Evidence(
        "documented",
        "assumed",
        "standard-webhooks (spec), docs.x.com, developers.tiktok.com; the senders' forms stand in the mappings",
    ),
    options=(
        Option("mapping", "how a document becomes an event", is_required=True, is_map=True, faults=_faults),
        Option("signed_by", f"{STANDARD} (the default), {HMAC}, {BEARER}, {X} or {TIKTOK}"),
        Option("header", f"the header of an HMAC; else {HEADER}"),
    ),
)
