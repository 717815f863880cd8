"""The `queue` section of a source: the topics of others, or the Amazon SQS queue, that its records come from.

```yaml
queue: {topics: [inventory.public.orders]}        # on our own Kafka, by the names that they have there
queue:
  topics: [inventory.public.orders]
  bootstrap: kafka.shop.example:9093              # another one
  security: {protocol: SASL_SSL, mechanism: SCRAM-SHA-512, username: vaart, password: {env: SHOP_KAFKA_PASSWORD}}
queue:
  sqs:
    queue_url: https://sqs.eu-west-1.amazonaws.com/123456789012/orders
    access_key_id: AKIA...                        # else as the machine is known: its role
    secret_access_key: {file: /run/secrets/sqs}
    unwrap: sns                                   # where the channel reads what is in SNS's envelope, or eventbridge's
```
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from connectors.secret import Secret

TOPICS_MAX = 200
TOPIC = re.compile(r"[a-zA-Z0-9._-]{1,249}")
PASSWORD, KEY_PASSWORD, SECRET_KEY = "password", "key_password", "secret_access_key"


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Security(_Form):
    """How another Kafka knows us: by a password (SASL), a certificate (mutual TLS), or both. `ca` is whom we trust."""

    protocol: Literal["SSL", "SASL_SSL", "SASL_PLAINTEXT"]
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    username: str = ""
    password: Secret | None = None
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    key_password: Secret | None = None

    @model_validator(mode="after")
    def _whole(self) -> "Security":
        has_sasl = bool(self.mechanism and self.username and self.password)
        if self.protocol.startswith("SASL") and not has_sasl:
            raise ValueError(f"{self.protocol} takes mechanism, username and password")
        if self.protocol == "SSL" and (self.mechanism or self.username or self.password):
            raise ValueError("SSL takes no mechanism, username or password: is SASL_SSL meant?")
        if self.protocol == "SASL_PLAINTEXT" and self.mechanism == "PLAIN":
            raise ValueError(
                "PLAIN without TLS shows the password to whoever listens: take SASL_SSL, or SCRAM"
            )
        for path in filter(None, (self.ca, self.certificate, self.key)):
            if not path.is_file():
                raise ValueError(f"{path} is no file")
        if bool(self.certificate) != bool(self.key):
            raise ValueError("takes certificate and key, both or neither")
        return self

    def client(self, secrets: Mapping[str, str]) -> dict[str, str]:
        """As librdkafka's settings. `secrets` are those of QueueForm.places."""
        found = {
            "security.protocol": self.protocol,
            "sasl.mechanism": self.mechanism,
            "sasl.username": self.username,
            "sasl.password": secrets.get(PASSWORD),
            "ssl.ca.location": self.ca,
            "ssl.certificate.location": self.certificate,
            "ssl.key.location": self.key,
            "ssl.key.password": secrets.get(KEY_PASSWORD),
        }
        return {name: str(value) for name, value in found.items() if value}


class SqsForm(_Form):
    """A queue at Amazon. Its region stands in the address of the queue, else `region` says it."""

    queue_url: str
    region: str = Field("", pattern=r"^([a-z]{2}(-[a-z]+)+-\d+)?$")
    access_key_id: str = ""
    secret_access_key: Secret | None = None
    endpoint_url: str = Field("", pattern=r"^(https?://.+)?$")
    unwrap: Literal["sns", "eventbridge"] | None = None

    @model_validator(mode="after")
    def _whole(self) -> "SqsForm":
        at = urlsplit(self.queue_url)
        if at.scheme not in ("https", "http") or not at.hostname or not at.path.strip("/"):
            raise ValueError(
                "queue_url is an address like https://sqs.eu-west-1.amazonaws.com/123456789012/orders"
            )
        if at.scheme == "http" and not self.endpoint_url:
            raise ValueError("queue_url without TLS is for a server of your own, at endpoint_url")
        if not self.region_name:
            raise ValueError("queue_url names no region: set region, such as eu-west-1")
        if bool(self.access_key_id) != bool(self.secret_access_key):
            raise ValueError("takes access_key_id and secret_access_key, both or neither")
        return self

    @property
    def region_name(self) -> str:
        """The region, empty where nothing says it."""
        parts = (urlsplit(self.queue_url).hostname or "").split(".")
        return self.region or (parts[1] if parts[0] == "sqs" and len(parts) > 3 else "")

    @property
    def name(self) -> str:
        """The queue's own name."""
        return urlsplit(self.queue_url).path.rstrip("/").rpartition("/")[2]


class QueueForm(_Form):
    """Where the records come from: topics, or a queue."""

    topics: tuple[str, ...] = Field((), max_length=TOPICS_MAX)
    bootstrap: str = ""
    security: Security | None = None
    sqs: SqsForm | None = None

    @field_validator("topics")
    @classmethod
    def _are_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not TOPIC.fullmatch(name):
                raise ValueError(
                    "a topic's name has at most 249 of letters, digits, dot, dash and underscore"
                )
        if len(set(names)) < len(names):
            raise ValueError("a topic is there twice")
        return names

    @model_validator(mode="after")
    def _one(self) -> "QueueForm":
        if bool(self.topics) == bool(self.sqs):
            raise ValueError("takes topics or sqs, one of them")
        if self.sqs and (self.bootstrap or self.security):
            raise ValueError("bootstrap and security are of topics")
        if self.security and not self.bootstrap:
            raise ValueError(
                "security is for another Kafka, at bootstrap; of ours VAART_KAFKA__EXTRA says it"
            )
        return self

    @property
    def places(self) -> Mapping[str, Secret]:
        """Its secrets, by what each is."""
        found = {
            PASSWORD: self.security and self.security.password,
            KEY_PASSWORD: self.security and self.security.key_password,
            SECRET_KEY: self.sqs and self.sqs.secret_access_key,
        }
        return {name: place for name, place in found.items() if place}
