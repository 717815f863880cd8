"""What brought a customer to a page: the UTM parameters and click ids of its address, and where they came from."""

from connectors.vendors.web.addresses import CLICK_IDS, fields, parted
from connectors.vendors.web.hits import Hit
from connectors.vendors.web.properties import NOTHING, Properties
from schemas.events.activity import CampaignTouched

UTM = ("source", "medium", "campaign", "content", "term", "id")
SEARCH_ENGINES = frozenset(
    {"google", "bing", "duckduckgo", "ecosia", "yahoo", "startpage", "qwant", "baidu", "yandex", "brave"}
)
SOCIAL_MEDIA = frozenset(
    {
        "facebook", "instagram", "linkedin", "lnkd", "pinterest", "pin", "tiktok", "reddit", "youtube", "twitter",
        "x", "t", "snapchat", "whatsapp", "threads", "telegram",
    }
)  # fmt: skip
"""Of hosts the label before the last (`t.co`, `x.com`, `pin.it`)."""


def touched(hit: Hit, campaign: Properties | None = None) -> list[CampaignTouched]:
    """The touch that a view of a page is: none where neither the page's address nor `campaign` names one.

    `campaign` is what the page's own script found: `name` stands for the campaign there.
    """
    queried = _queried(hit.url)
    told = campaign or NOTHING
    if not queried and not told.told:
        return []
    utm = {name: told.text(name) or queried.get(f"utm_{name}") for name in UTM}
    named = told.text("name") or utm["campaign"] or utm["id"]
    click_kind = next((kind for kind in CLICK_IDS if queried.get(kind)), None)
    if click_kind is None and not any((utm["source"], utm["medium"], named)):
        return []
    return [
        CampaignTouched(
            meta=hit.meta(CampaignTouched),
            source=utm["source"],
            medium=utm["medium"],
            campaign=named,
            content=utm["content"],
            term=utm["term"],
            click_id_kind=click_kind,
            click_id=None if click_kind is None else queried[click_kind],
            landing_url=hit.url,
            referrer_class=referrer_class(hit.referrer, hit.url),
        )
    ]


def referrer_class(referrer: str | None, url: str | None) -> str:
    """`direct`, `internal`, `search`, `social` or `referral`."""
    host, own = _host(referrer), _host(url)
    if not host:
        return "direct"
    if host == own:
        return "internal"
    label = (host.split(".")[-2:] or [""])[0]
    labels = {label, *host.split(".")[:-1]} if label == "co" else {label}
    if labels & SEARCH_ENGINES:
        return "search"
    return "social" if label in SOCIAL_MEDIA else "referral"


def _queried(url: str | None) -> dict[str, str]:
    parts = parted(url) if url and "?" in url else None
    return {name.lower(): value for name, value in fields(parts.query)} if parts else {}


def _host(address: str | None) -> str:
    parts = parted(address)
    host = parts.netloc.rpartition("@")[2].partition(":")[0].lower() if parts else ""
    return host.removeprefix("www.")
