"""What a drop needs of this machine: its folder, its mapping, its key; and how its files are read."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from connectors.drops.folder import LocalFolder
from connectors.drops.form import DropForm
from connectors.drops.lying import Place
from connectors.drops.reading import ByChannel, ByMapping, Reading
from connectors.files import mapping
from connectors.files.forms import Mapping
from connectors.sources import Installed
from vaart.errors import ConfigFault, UsageFault


def faults(found: Installed, beside: Path) -> Iterator[str]:
    """Every fault of the source's drop on this machine; paths are relative to the folder `beside`."""
    form, name = form_of(found), found.source.name
    if form.sftp is None:
        yield from (f"{name}: drop.folder: {each}" for each in _folder_faults(beside / form.folder))
    elif form.sftp.private_key is not None:
        yield from (f"{name}: drop.sftp.private_key: {each}" for each in _key_faults(found.credential))
    if form.mapping is not None:
        yield from (f"{name}: drop.mapping: {each}" for each in _mapping_faults(beside / form.mapping, found))


def raise_faults(dropped: Iterable[Installed], path: Path) -> None:
    """Raises ConfigFault with every fault of these sources, which stand in the file `path`."""
    found = [fault for each in dropped for fault in faults(each, path.parent)]
    if found:
        raise ConfigFault(f"{path} has faults:\n" + "\n".join(f"  {fault}" for fault in found))


def place_of(found: Installed, beside: Path) -> Place:
    """Where its files are."""
    form = form_of(found)
    if form.sftp is None:
        return LocalFolder(beside / form.folder)
    from connectors.drops.sftp import SftpFolder

    return SftpFolder(form.sftp, str(form.folder), found.credential)


def reading_of(found: Installed, beside: Path) -> Reading:
    """How its files are read."""
    form = form_of(found)
    if form.mapping is None:
        return ByChannel(found.channel, found.source)
    return ByMapping(mapping.load(beside / form.mapping), form.given, form.rejects_max)


def form_of(found: Installed) -> DropForm:
    """Its `drop` section, which it has."""
    assert found.form.drop is not None
    return found.form.drop


def _folder_faults(folder: Path) -> Iterator[str]:
    if not folder.is_dir():
        yield f"{folder} is no folder here: make it or mount it"
    elif not os.access(folder, os.R_OK | os.X_OK):
        yield f"{folder} cannot be read: let the user of this process read it"


def _key_faults(text: str) -> Iterator[str]:
    from connectors.drops.sftp import private_key

    try:
        private_key(text)
    except ValueError:
        yield "is no private key that can be read: give an OpenSSH or PEM key without a passphrase"


def _mapping_faults(path: Path, found: Installed) -> Iterator[str]:
    try:
        read = mapping.load(path)
        mapping.settled(read, form_of(found).given, 0)
    except UsageFault as error:
        yield from str(error).splitlines()
        return
    yield from _fit_faults(read, found)


def _fit_faults(read: Mapping, found: Installed) -> Iterator[str]:
    if read.source != found.source.name:
        yield f"{read.path} says source: {read.source}: name both alike, for the ids of events are made of it"
    tables = sorted({form.table for form in read.events})
    joined = sorted({other for name in tables for other in read.table(name).join})
    if len(tables) > 1:
        yield f"{read.path} is of several tables ({', '.join(tables)}): a file is one; give each a source of its own"
    if joined:
        yield f"{read.path} needs {', '.join(joined)} beside each file, and files come one by one"
