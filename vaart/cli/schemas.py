"""`vaart schemas check`, `register`: the schemas of the catalogue in a real registry."""

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

import typer

from vaart.cli.local import Answer, Output
from vaart.cli.topics import DryRun, Yes, catalogue, confirm
from vaart.errors import DependencyAway, VaartError
from vaart.settings import Settings, load

if TYPE_CHECKING:
    from schemas.registry import Registry, Schema
    from vaart.addresses import Addresses

AT_ONCE = 8

T = TypeVar("T")
R = TypeVar("R")


class SchemasDiffer(VaartError):
    """A schema cannot follow what the registry holds."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One record type on one topic."""

    name: str
    schema: "Schema"
    rule: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How a subject stands in the registry. `faults` name the field and what is wrong."""

    subject: Subject
    state: Literal["new", "changed", "same", "incompatible"]
    faults: tuple[str, ...] = ()


def register(app: typer.Typer) -> None:
    """The verbs stand under `schemas`."""
    group = typer.Typer(help="The schemas in the registry.", no_args_is_help=True)
    group.command()(check)
    group.command("register")(register_all)
    app.add_typer(group, name="schemas")


def check(output: Answer = Output.TABLE) -> None:
    """Exit with 1 when a schema cannot follow what the registry holds."""
    found = standings(load())
    _show(found, output)
    if any(each.faults for each in found):
        raise typer.Exit(1)


def register_all(output: Answer = Output.TABLE, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Register every schema that the registry does not have, and set its compatibility rule first."""
    settings = load()
    found = standings(settings)
    changes = [each for each in found if each.state != "same"]
    if not dry_run and changes:
        _refuse_faults(found)
        confirm(f"Register {len(changes)} schemas?", yes=yes)
        ensure(settings, found=found)
    _show(found, output)


def ensure(
    settings: Settings, addresses: "Addresses | None" = None, found: list[Standing] | None = None
) -> None:
    """Afterwards every schema of the catalogue is registered. Repeatable, and safe beside another writer.

    Raises SchemasDiffer, before anything is registered, naming subject and field, where one cannot follow.
    """
    found = standings(settings, addresses) if found is None else found
    _refuse_faults(found)
    new = [each.subject for each in found if each.state != "same"]
    with registry_of(settings, addresses) as registry:
        _at_once(lambda each: registry.register(each.name, each.schema, each.rule), new)


def standings(settings: Settings, addresses: "Addresses | None" = None) -> list[Standing]:
    """How every subject of the catalogue stands in the registry."""
    with registry_of(settings, addresses) as registry:
        return _at_once(lambda each: _standing(each, registry), subjects(settings))


def subjects(settings: Settings) -> list[Subject]:
    """One subject for each record type of each topic, with the deployment's prefix."""
    from schemas.avsc import schema_of
    from schemas.codec import subject_of
    from schemas.compatibility import BACKWARD, FULL

    return [
        Subject(
            subject_of(topic, struct, settings.kafka.topic_prefix),
            schema_of(struct),
            FULL if topic.is_public else BACKWARD,
        )
        for topic in catalogue()
        if topic.events
        for struct in topic.carries
    ]


def registry_of(settings: Settings, addresses: "Addresses | None" = None) -> "Registry":
    """The registry of the settings, its disk copies below the state folder."""
    from schemas.registry import Registry
    from vaart import addresses as known

    there = addresses or known.resolve(settings)
    return Registry.of(there.registry, settings.registry, settings.state_dir)


def _standing(subject: Subject, registry: "Registry") -> Standing:
    from schemas.registry import SchemaUnknown, SubjectUnknown

    try:
        registry.id_of(subject.name, subject.schema)
    except SubjectUnknown:
        return Standing(subject, "new")
    except SchemaUnknown:
        return _successor(subject, registry)
    is_same = registry.compatibility(subject.name) == subject.rule
    return Standing(subject, "same" if is_same else "changed")


def _successor(subject: Subject, registry: "Registry") -> Standing:
    from schemas.compatibility import faults

    versions = registry.versions(subject.name)
    found = [each for older in versions for each in faults(older, subject.schema, subject.rule)]
    found = found or registry.refusals(subject.name, subject.schema)
    return Standing(subject, "incompatible" if found else "changed", tuple(dict.fromkeys(found)))


def _refuse_faults(found: Iterable[Standing]) -> None:
    lines = [f"  {each.subject.name}: {fault}" for each in found for fault in each.faults]
    if lines:
        raise SchemasDiffer(
            "these schemas cannot follow what the registry holds:\n"
            + "\n".join(lines)
            + "\nundo the change and add a new field with a default instead, or a new record type (v2) beside it"
        )


def _at_once(do: Callable[[T], R], all_of: list[T]) -> list[R]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            return _answered(lambda: list(pool.map(do, all_of)))
        finally:
            pool.shutdown(cancel_futures=True)


def _answered(ask: Callable[[], R]) -> R:
    from schemas.registry import RegistryAway, SchemaRefused

    try:
        return ask()
    except RegistryAway as error:
        raise DependencyAway(
            f"{error}. Start it (`vaart up` starts a local one), or set VAART_REGISTRY__URL"
        ) from None
    except SchemaRefused as error:
        raise SchemasDiffer(str(error)) from None


def _show(found: list[Standing], output: Output) -> None:
    if output is Output.JSON:
        rows = [{"subject": s.subject.name, "state": s.state, "faults": list(s.faults)} for s in found]
        typer.echo(json.dumps({"subjects": rows}))
        return
    from rich.console import Console

    console = Console(highlight=False)
    for each in found:
        for fault in each.faults:
            console.print(f"{each.subject.name}: {fault}", markup=False, soft_wrap=True)
    counts = {
        state: sum(each.state == state for each in found)
        for state in ("same", "new", "changed", "incompatible")
    }
    console.print(", ".join(f"{count} {state}" for state, count in counts.items()))
