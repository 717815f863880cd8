"""`sources.yaml`: the installations that may send, what each knows as a secret, and how its values are to be read.

```yaml
sources:
  shop-nl:
    channel: shopify
    secrets: [{env: SHOP_NL_SECRET}, {file: /run/secrets/shop-nl-before}]
    zone: Europe/Amsterdam
    currency: EUR
    region: NL
    plan: plans/shop-nl.yaml
    silent_after_s: 3600
    options: {stores: {"655441491": haarlem}}
    poll:
      poller: shopify_orders
      base_url: https://shop-nl.myshopify.com
      every_s: 300
      token: {env: SHOP_NL_TOKEN}
  till-haarlem:
    channel: files
    drop: {folder: /srv/till, pattern: "*.csv", mapping: till-haarlem.yaml}
```
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from connectors.channels import CHANNELS
from connectors.drops.form import FILES, DropForm
from connectors.plans import form as plans
from connectors.plans.checking import Plan
from connectors.polling.form import PollForm
from connectors.protocol.channel import Channel, Source
from connectors.queues.form import QueueForm
from connectors.secret import Secret
from vaart.errors import ConfigFault

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
PER_SECOND_MAX = 100_000
SILENT_S_MAX = 7 * 24 * 3600
"""As long as requests are kept by which it is known when a source was last heard."""


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceForm(_Form):
    """One source. `write_keys` are public and say which source it is; `origins` are the pages that may send as it.

    `per_second` requests are taken, `burst` of them at once. `is_paused`: it is told that nothing is here. `plan` is a
    file beside this one (connectors/plans/form.py). Nothing heard for `silent_after_s` is an alert.
    """

    channel: str
    secrets: tuple[Secret, ...] = ()
    write_keys: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    zone: str | None = None
    currency: str | None = Field(None, pattern="^[A-Z]{3}$")
    region: str | None = Field(None, pattern="^[A-Z]{2}$")
    per_second: float = Field(500, gt=0, le=PER_SECOND_MAX)
    burst: int = Field(2_000, ge=1)
    is_paused: bool = False
    plan: Path | None = None
    silent_after_s: float | None = Field(None, ge=60, le=SILENT_S_MAX)
    options: dict[str, Any] = {}
    poll: PollForm | None = None
    queue: QueueForm | None = None
    drop: DropForm | None = None

    @field_validator("channel")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in BY_NAME:
            raise ValueError(f"is no channel; there are {', '.join(sorted(BY_NAME))}")
        return name

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, zone: str | None) -> str | None:
        if zone is not None and zone not in available_timezones():
            raise ValueError("is no time zone; write it like Europe/Amsterdam")
        return zone


class SourcesForm(_Form):
    """The file."""

    sources: dict[str, SourceForm] = {}


BY_NAME: Mapping[str, Channel] = {channel.name: channel for channel in (*CHANNELS, FILES)}


@dataclass(frozen=True, slots=True)
class Installed:
    """A source that may send, as its channel sees it, and how it is treated at the door."""

    channel: Channel
    source: Source
    form: SourceForm
    credential: str = ""
    """With what it is asked: its token, its client's secret, its server's password. Empty where it is not asked."""
    queue_secrets: Mapping[str, str] = field(default_factory=dict)
    plan: Plan | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """All installations. A name that is not there is answered as a wrong signature is."""

    by_name: Mapping[str, Installed] = field(default_factory=dict)
    by_key: Mapping[tuple[str, str], Installed] = field(default_factory=dict)

    def named(self, channel: str, name: str) -> Installed | None:
        """The source of that name, if it is one of that channel."""
        found = self.by_name.get(name)
        return found if found is not None and found.channel.name == channel else None

    def with_section(self, name: str) -> list[Installed]:
        """Those that are not paused and have the section `poll`, `queue` or `drop`."""
        every = self.by_name.values()
        return [each for each in every if getattr(each.form, name) is not None and not each.form.is_paused]


def load(path: Path, environment: Mapping[str, str] | None = None) -> Sources:
    """What the file says. Raises ConfigFault with every fault at once, and no secret in its text."""
    variables = os.environ if environment is None else environment
    form = _read(path)
    faults: list[str] = []
    installed = {
        name: replace(
            _installed(name, each, variables, faults.append),
            plan=_planned(name, each.plan, path.parent, faults.append),
        )
        for name, each in form.sources.items()
    }
    keyed = [
        ((found.channel.name, key), found) for found in installed.values() for key in found.form.write_keys
    ]
    twice = {key for key, count in Counter(key for key, _ in keyed).items() if count > 1}
    faults += [f"{found.source.name}: its write key is there twice" for key, found in keyed if key in twice]
    if faults:
        raise _fault(path, faults)
    return Sources(installed, dict(keyed))


def forms(path: Path) -> Mapping[str, SourceForm]:
    """What the file says of each source, without a look at secrets. Raises ConfigFault."""
    return _read(path).sources


def _read(path: Path) -> SourcesForm:
    try:
        tree = yaml.safe_load(path.read_text()) or {}
        return SourcesForm.model_validate(tree)
    except OSError as error:
        raise ConfigFault(f"{path} cannot be read: {error.strerror}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigFault(f"{path} is not YAML{where}") from None
    except ValidationError as error:
        told = error.errors(include_input=False, include_url=False)
        raise _fault(path, [f"{'.'.join(map(str, e['loc']))}: {_words(e['msg'])}" for e in told]) from None


def _installed(
    name: str, form: SourceForm, variables: Mapping[str, str], note: Callable[[str], None]
) -> Installed:
    channel = BY_NAME[form.channel]
    if not NAME.fullmatch(name):
        note(f"{name}: a source's name has at most 64 of a-z, 0-9, dot, dash and underscore")
    for fault in (
        *_option_faults(channel, form),
        *_proof_faults(channel, form),
        *_drop_faults(channel, form),
    ):
        note(f"{name}: {fault}")
    told = partial(_secret, name=name, variables=variables, note=note)
    secrets = tuple(filter(None, map(told, form.secrets)))
    source = Source(name, secrets, form.options, form.zone, form.currency, form.region)
    place = form.poll.place if form.poll else form.drop.secret if form.drop else None
    if form.poll and (wrong := form.poll.fault(channel)):
        note(f"{name}: {wrong}")
    if form.poll and form.poll.poller and (form.silent_after_s or SILENT_S_MAX) <= form.poll.every_s:
        note(
            f"{name}: silent_after_s must be more than poll.every_s: between two polls nothing is heard of it"
        )
    places = form.queue.places if form.queue else {}
    queue_secrets = {what: told(place) for what, place in places.items()}
    return Installed(channel, source, form, told(place) if place else "", queue_secrets)


def _planned(name: str, file: Path | None, folder: Path, note: Callable[[str], None]) -> Plan | None:
    return None if file is None else plans.load(folder / file, lambda fault: note(f"{name}: {fault}"))


def _secret(place: Secret, *, name: str, variables: Mapping[str, str], note: Callable[[str], None]) -> str:
    """What stands there; empty where that is nothing, which is noted."""
    try:
        found = place.file.read_text().strip() if place.file else variables[place.env]
    except KeyError:
        note(f"{name}: the variable {place.env} is not set")
    except OSError as error:
        note(f"{name}: {place.file} cannot be read: {error.strerror}")
    else:
        if not found:
            note(f"{name}: a secret is empty")
        return found
    return ""


def _option_faults(channel: Channel, form: SourceForm) -> Iterator[str]:
    known = {option.name: option for option in channel.options}
    for name, value in form.options.items():
        if name not in known:
            yield f"{channel.name} has no option {name}; it has {', '.join(known) or 'none'}"
        elif known[name].is_map != isinstance(value, dict):
            yield f"the option {name} takes a {'map' if known[name].is_map else 'text'}"
        else:
            yield from (f"the option {name}: {fault}" for fault in known[name].faults(value))
    for option in channel.options:
        if option.is_required and option.name not in form.options:
            yield f"needs the option {option.name}: {option.says}"


def _proof_faults(channel: Channel, form: SourceForm) -> Iterator[str]:
    if form.queue is not None or form.drop is not None:
        return  # without a secret nobody can send as it
    if channel.proof == "public key":
        if not form.write_keys:
            yield "needs write_keys: by them it is known which source a request is for"
    elif not form.secrets and not channel.is_signed_by_key:
        yield "needs a secret: without one anybody could send as it"


def _drop_faults(channel: Channel, form: SourceForm) -> Iterator[str]:
    if form.drop is not None:
        yield from form.drop.faults(channel)
        if form.poll is not None:
            yield "takes poll or drop, one of them"
    elif channel is FILES:
        yield f"{channel.name} needs a drop section: where the files are"


def _words(told: str) -> str:
    return told.removeprefix("Value error, ")


def _fault(path: Path, faults: list[str]) -> ConfigFault:
    return ConfigFault(f"{path} has faults:\n" + "\n".join(f"  {fault}" for fault in faults))
