"""A contact form of a public page: an HTML form, or JSON by a script, posted to `/forms`.

| request | events |
| --- | --- |
| a form (`application/x-www-form-urlencoded`) or a JSON object of texts | FormSubmitted |
| the same with the honeypot filled in | nothing, and the sender is told the same |
| a file upload (`multipart/form-data`), another body | refused as malformed |

| field | is |
| --- | --- |
| `key` (or in the address) | the write key of the source; it is public |
| `form` | the form's name; else "contact" |
| `email`, `phone` | how the customer is known |
| `topic`, `order_id` | of the event |
| `submission_id` | what makes two equal submissions two; without it they are one |
| others | fields of the event |

The write key only says which source it is: what is sent proves nothing about anybody. `redirect` is a page of the shop,
to which a browser is sent on; it is never taken from the request.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from connectors.protocol import documents, people
from connectors.protocol.channel import (
    Answer,
    Channel,
    Evidence,
    Malformed,
    Option,
    Outcome,
    Request,
    Source,
    Verdict,
)
from connectors.protocol.documents import NotReadable
from connectors.protocol.facts import Facts
from schemas import ids
from schemas.events.activity import FormSubmitted

MEDIUM = "web"
KEY, FORM, HONEYPOT = "key", "form", "website"
OWN = {KEY, FORM, "topic", "order_id", "submission_id"}
"""Fields that are not repeated among the event's fields."""
FIELDS_MAX, VALUE_LENGTH_MAX = 100, 10_000
BODY_BYTES_MAX = 256 * 1024


def receive(request: Request, source: Source) -> Outcome:
    """One submission."""
    fields = _fields(request)
    if fields is None or len(fields) > FIELDS_MAX:
        return Malformed("send a form or a JSON object of texts, with at most 100 fields")
    answer = _answer(source)
    trap = str(source.options.get("honeypot", HONEYPOT))
    if fields.get(trap):
        return Verdict(answer=answer)
    told = {
        name: text[:VALUE_LENGTH_MAX] for name, text in fields.items() if text and name not in (*OWN, trap)
    }
    if not told:
        return Malformed("the form is empty")
    form_id = fields.get(FORM) or "contact"
    who = people.known_as(
        source.name, email=fields.get("email"), phone=fields.get("phone"), region=source.region
    )
    event = FormSubmitted(
        meta=Facts(request, source, MEDIUM).meta(FormSubmitted, _named(form_id, fields), None, who),
        form_id=form_id,
        fields=told,
        topic=fields.get("topic") or None,
        order_id=fields.get("order_id") or None,
    )
    return Verdict([event], answer=answer)


def key_of(request: Request) -> str | None:
    """The write key, in the address or in the form."""
    return request.parameter(KEY) or (_fields(request) or {}).get(KEY)


def _fields(request: Request) -> dict[str, str] | None:
    if "multipart/" in (request.header("content-type") or "").lower():
        return None
    if request.body.lstrip().startswith(b"{"):
        return _of_json(request.body)
    try:
        text = request.body.decode()
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError:
        return None
    return {_storable(name): _storable(value) for name, value in pairs}


def _of_json(body: bytes) -> dict[str, str] | None:
    try:
        found = documents.parse(body)
    except NotReadable:
        return None
    if not isinstance(found, dict) or any(isinstance(value, dict | list) for value in found.values()):
        return None
    return {name: str(value) for name, value in found.items() if value is not None}


def _storable(text: str) -> str:
    return text.replace("\0", documents.UNREADABLE)


def _named(form_id: str, fields: Mapping[str, str]) -> str:
    """A submission has no id of its own: it is what was filled in."""
    said = sorted((name, text) for name, text in fields.items() if name != KEY)
    return ids.uuid5(f"form:{form_id}:{said}")


def _answer(source: Source) -> Answer | None:
    address = source.options.get("redirect")
    return Answer(303, headers={"Location": str(address)}) if address else None


CHANNEL = Channel(
    name="contact_form",
    title="Contact form",
    medium=MEDIUM,
    receive=receive,
    proof="public key",
    evidence=Evidence(
        "documented", "documented", "our own; HTML's URL-encoded form data (url.spec.whatwg.org)"
    ),
    options=(
        Option("redirect", "the page that a browser is sent to afterwards"),
        Option("honeypot", f"the field that people do not see and must leave empty; else {HONEYPOT}"),
    ),
    routes=("/forms",),
    key_of=key_of,
    body_bytes_max=BODY_BYTES_MAX,
)
