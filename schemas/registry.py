"""The schema registry (Confluent API): which schema an id stands for, and which id a schema has."""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, Self
from urllib.parse import quote

import httpx

TIMEOUT_S = 5.0
CONNECTIONS_MAX = 8
UNKNOWN_KEPT_S = 30.0
"""So long an unknown id is not asked for again: bad records must not become a flood of requests."""
UNKNOWN_KEPT_MAX = 10_000
SUBJECT_UNKNOWN = 40401
ID_COPY = ".id"
COPIES = "schemas"
"""In a service's state folder."""
MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"

Schema = Any
"""A parsed .avsc: a dict, a list (union) or a name."""


class RegistryAway(Exception):
    """The registry gives no answer now, or not to us. Ask again later; the record may be good."""


class SchemaUnknown(Exception):
    """The registry says that this id, or this schema under this subject, does not exist."""


class SubjectUnknown(SchemaUnknown):
    """The registry has no schema at all under this subject."""


class SchemaUnreadable(Exception):
    """What the registry has under this id is no Avro schema."""


class SchemaRefused(Exception):
    """The registry does not accept the schema under this subject."""


class Secret(Protocol):
    """A text that shows only when it is asked for, as pydantic's settings have it."""

    def get_secret_value(self) -> str:
        """The text."""


class Credentials(Protocol):
    """Who asks: empty where the registry asks nobody."""

    @property
    def username(self) -> str:
        """The name."""

    @property
    def password(self) -> Secret:
        """What proves it."""


class Registry:
    """A registry at one URL. Schemas are fetched once and kept in memory and, below `cache_dir`, on disk.

    The copies on disk, of ids too, let a service start while the registry is away. A registry that was emptied gives
    old ids to other schemas: remove its folder then. Any method raises RegistryAway. Safe to use from several
    threads.
    """

    def __init__(
        self, url: str, username: str = "", password: str = "", cache_dir: Path | None = None
    ) -> None:
        base = url.rstrip("/")
        self.url = str(httpx.URL(base).copy_with(userinfo=b""))
        self._http = httpx.Client(
            base_url=base,
            auth=(username, password) if username else None,
            headers={"Accept": MEDIA_TYPE, "Content-Type": MEDIA_TYPE},
            timeout=TIMEOUT_S,
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
        )
        self._folder = cache_dir / hashlib.sha256(self.url.encode()).hexdigest()[:16] if cache_dir else None
        self._schemas: dict[int, Schema] = {}
        self._unknown: dict[int, float] = {}

    @classmethod
    def of(cls, url: str, credentials: Credentials, state_dir: Path) -> Self:
        """A service's own, its copies below the service's state folder. It is not asked anything yet."""
        return cls(url, credentials.username, credentials.password.get_secret_value(), state_dir / COPIES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Afterwards no connection is open; schemas that were read before can still be had."""
        self._http.close()

    def schema(self, schema_id: int) -> Schema:
        """The schema with this id. Raises SchemaUnknown when the registry says that there is none.

        Raises SchemaUnreadable when it is one of another kind, such as Protobuf.
        """
        found = self._schemas.get(schema_id)
        if found is None:
            found = self._kept(schema_id) or self._fetched(schema_id)
            self._schemas[schema_id] = found
        return found

    @property
    def has_copies(self) -> bool:
        """Whether records of some types can be written while the registry is away."""
        return self._folder is not None and any(self._folder.glob(f"*{ID_COPY}"))

    def id_of(self, subject: str, schema: Schema) -> int:
        """The id that the schema has under the subject. Raises SchemaUnknown when it is not registered.

        While the registry is away it is the id that it had when it was last asked for.
        """
        name = hashlib.sha256(f"{subject} {_body(schema)['schema']}".encode()).hexdigest()[:32] + ID_COPY
        try:
            found = self._asked_id(subject, schema)
        except RegistryAway:
            kept = self._copy(name)
            if kept is None:
                raise
            return int(kept)
        self._keep(name, str(found))
        return found

    def _asked_id(self, subject: str, schema: Schema) -> int:
        answer = self._ask("POST", f"/subjects/{_quoted(subject)}", _body(schema))
        if answer.status_code == httpx.codes.NOT_FOUND:
            code = self._json(answer).get("error_code")
            unknown = SubjectUnknown if code == SUBJECT_UNKNOWN else SchemaUnknown
            raise unknown(f"{subject} is not registered with this schema: run `vaart schemas register`")
        return int(self._good(answer, subject)["id"])

    def register(self, subject: str, schema: Schema, compatibility: str) -> int:
        """Afterwards the subject keeps to `compatibility` and holds the schema. Its id; repeatable."""
        path, rule = f"/config/{_quoted(subject)}", {"compatibility": compatibility}
        answer = self._ask("PUT", path, rule)
        if answer.status_code == httpx.codes.CONFLICT:
            # Another writer made the rule between Apicurio's look and its own try; now it is there to be set.
            answer = self._ask("PUT", path, rule)
        self._good(answer, subject)
        answer = self._ask("POST", f"/subjects/{_quoted(subject)}/versions", _body(schema))
        return int(self._good(answer, subject)["id"])

    def compatibility(self, subject: str) -> str | None:
        """The subject's own compatibility rule; None when it has none and the registry's default holds."""
        answer = self._ask("GET", f"/config/{_quoted(subject)}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        found = self._good(answer, subject)
        return str(found.get("compatibilityLevel") or found.get("compatibility"))

    def versions(self, subject: str) -> list[Schema]:
        """The subject's schemas, oldest first; none for an unknown subject."""
        path = f"/subjects/{_quoted(subject)}/versions"
        answer = self._ask("GET", path)
        if answer.status_code == httpx.codes.NOT_FOUND:
            return []
        numbers = self._good(answer, subject)
        return [
            json.loads(self._good(self._ask("GET", f"{path}/{number}"), subject)["schema"])
            for number in numbers
        ]

    def refusals(self, subject: str, schema: Schema) -> list[str]:
        """Why the registry would refuse the schema as the next version; empty when it would not."""
        path = f"/compatibility/subjects/{_quoted(subject)}/versions?verbose=true"
        answer = self._ask("POST", path, _body(schema))
        if answer.status_code == httpx.codes.NOT_FOUND:
            return []
        found = self._good(answer, subject)
        if found.get("is_compatible"):
            return []
        return [str(message) for message in found.get("messages") or ["not compatible"]]

    def _kept(self, schema_id: int) -> Schema | None:
        return self._copy(f"{schema_id}.json")

    def _copy(self, name: str) -> Any | None:
        """What JSON the file of that name holds; None where there is none."""
        if self._folder is None:
            return None
        with contextlib.suppress(OSError, ValueError):
            return json.loads((self._folder / name).read_text())
        return None

    def _fetched(self, schema_id: int) -> Schema:
        if self._unknown.get(schema_id, 0.0) > time.monotonic():
            raise SchemaUnknown(f"the registry knows no schema with id {schema_id}")
        answer = self._ask("GET", f"/schemas/ids/{schema_id}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            self._note_unknown(schema_id)
            raise SchemaUnknown(f"the registry knows no schema with id {schema_id}")
        text = self._good(answer, f"schema {schema_id}")["schema"]
        schema = _parsed(text)
        self._keep(f"{schema_id}.json", text)
        return schema

    def _note_unknown(self, schema_id: int) -> None:
        if len(self._unknown) >= UNKNOWN_KEPT_MAX:
            self._unknown.clear()
        self._unknown[schema_id] = time.monotonic() + UNKNOWN_KEPT_S

    def _keep(self, name: str, text: str) -> None:
        """A copy that cannot be written costs one request at the next start, no more."""
        if self._folder is None:
            return
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            torn = self._folder / f"{name}.{os.getpid()}.tmp"
            torn.write_text(text)
            torn.replace(self._folder / name)

    def _ask(self, method: str, path: str, body: Mapping[str, str] | None = None) -> httpx.Response:
        try:
            answer = self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise RegistryAway(
                f"the registry at {self.url} gives no answer ({type(error).__name__})"
            ) from error
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise RegistryAway(
                f"the registry at {self.url} refuses us ({answer.status_code}): "
                "check VAART_REGISTRY__USERNAME and VAART_REGISTRY__PASSWORD"
            )
        if answer.is_server_error or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise RegistryAway(f"the registry at {self.url} answers {answer.status_code}")
        return answer

    def _good(self, answer: httpx.Response, about: str) -> Any:
        found = self._json(answer)
        if not answer.is_success:
            raise SchemaRefused(f"{about}: {found.get('message', answer.status_code)}")
        return found

    def _json(self, answer: httpx.Response) -> Any:
        try:
            return answer.json()
        except ValueError as error:
            raise RegistryAway(f"what answers at {self.url} is not a schema registry") from error


def _parsed(text: str) -> Schema:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise SchemaUnreadable("the schema is not written in JSON, as Avro is") from None


def _quoted(subject: str) -> str:
    return quote(subject, safe="")


def _body(schema: Schema) -> dict[str, str]:
    text = json.dumps(schema, separators=(",", ":"), ensure_ascii=False)
    return {"schema": text, "schemaType": "AVRO"}
