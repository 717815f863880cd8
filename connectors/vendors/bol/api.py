"""How bol's Retailer API is asked: by a token of five minutes, for lists of fifty whose entries are then asked for.

A page of a sweep is a list (`list|<where>`) or one entry of it (`ids|<where the next list is>|<id>,<id>`), so that a
sweep that died goes on at the entry that it had come to.
"""

import base64
import re
from collections.abc import Mapping, Sequence

import msgspec

from connectors.protocol import documents
from connectors.protocol.documents import Unfit
from connectors.protocol.poller import Answered, Api, Ask, Login, Token

TYPE = "application/vnd.retailer.v10+json"
ENTRIES_A_LIST = 50
GONE = 404
"""What was on the list is not there any more."""
_ID = re.compile(r"[A-Za-z0-9-]{1,40}")


class _Told(msgspec.Struct):
    access_token: str
    expires_in: float = 299.0


def authorized(token: str) -> Mapping[str, str]:
    """The headers of every question."""
    return {"Authorization": f"Bearer {token}", "Accept": TYPE}


def asked_list(page: str) -> str | None:
    """Which list the page is; empty for the first one, None where the page is an entry."""
    return None if page.startswith("ids|") else page.removeprefix("list|")


def asked_entry(page: str) -> str:
    """Which entry the page is."""
    return page.split("|")[2].partition(",")[0]


def after_list(ids: Sequence[str], where: str) -> str:
    """The page after a list: its first entry, else the next list; empty where there is none. Raises Unfit."""
    if not all(map(_ID.fullmatch, ids)):
        raise Unfit("an id on the list is none")
    if ids:
        return f"ids|{where}|{','.join(ids)}"
    return f"list|{where}" if where else ""


def after_entry(page: str) -> str:
    """The page after that entry."""
    _, where, ids = page.split("|")
    return after_list(list(filter(None, ids.split(",")[1:])), where)


def _login(client_id: str, secret: str) -> Ask:
    basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    return Ask(
        "token",
        {"grant_type": "client_credentials"},
        {"Authorization": f"Basic {basic}", "Accept": "application/json"},
        "POST",
    )


def _token(answer: Answered) -> Token:
    told = documents.fit(documents.parse(answer.body), _Told)
    if not told.access_token:
        raise Unfit("the answer holds no token")
    return Token(told.access_token, told.expires_in)


API = Api(authorized, Login(_login, _token, "https://login.bol.com"), frozenset({GONE}))
