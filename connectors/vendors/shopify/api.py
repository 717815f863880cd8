"""How a shop's Admin API is asked: by a custom app's own token, or by one of a day that client credentials give."""

import msgspec

from connectors.protocol import documents
from connectors.protocol.documents import Unfit
from connectors.protocol.poller import Answered, Api, Ask, Login, Token

FOLDER = "admin/api/2025-10"
GONE = 404


class _Told(msgspec.Struct):
    access_token: str
    expires_in: float = 3600.0


def _login(client_id: str, secret: str) -> Ask:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    return Ask("admin/oauth/access_token", method="POST", form=form)


def _token(answer: Answered) -> Token:
    told = documents.fit(documents.parse(answer.body), _Told)
    if not told.access_token:
        raise Unfit("the answer holds no token")
    return Token(told.access_token, told.expires_in)


API = Api(lambda token: {"X-Shopify-Access-Token": token}, Login(_login, _token), reads=frozenset({GONE}))
