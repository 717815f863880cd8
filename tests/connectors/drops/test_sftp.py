"""Files on an SFTP server, a real one: who it is is known before it is told anything, and its names lead nowhere."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from connectors.drops.folder import LocalFolder
from connectors.drops.lying import Gone, Place, fault_of
from connectors.drops.sftp import SftpFolder
from connectors.polling.asking import Away, Declined
from connectors.sources import load
from tests.connectors.drops.conftest import TILL, Rig, looked, sales

PASSWORD = "hush"


@dataclass
class Server(asyncssh.SSHServer):
    """Lets one user in, by password or by key, and notes who tried."""

    client_key: asyncssh.SSHKey
    tried: list[str] = field(default_factory=list)
    port: int = 0

    def begin_auth(self, username: str) -> bool:
        self.tried.append(username)
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("shop", PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == "shop" and key.public_data == self.client_key.public_data


class Files(asyncssh.SFTPServer):
    """Those of a folder, which is the whole world to a client."""

    def __init__(self, channel: asyncssh.SSHServerChannel[bytes], root: Path) -> None:
        super().__init__(channel, chroot=os.fsencode(root))


class ReadOnly(Files):
    """Nothing may be moved."""

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        raise asyncssh.SFTPPermissionDenied("read-only")


class Lies(Files):
    """Calls its files what leads elsewhere."""

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        attrs = asyncssh.SFTPAttrs(size=1, mtime=1, permissions=0o100644)
        for name in (b"../x.csv", b"a/b.csv", b"c\\d.csv", b"\xff.csv", b"e\n.csv", b"/etc/passwd.csv"):
            yield asyncssh.SFTPName(name, attrs=attrs)


HOST_KEYS = [
    asyncssh.generate_private_key("ssh-ed25519"),
    asyncssh.generate_private_key("ssh-rsa", key_size=2048),
]
CLIENT_KEY = asyncssh.generate_private_key("ssh-ed25519")


def public(key: asyncssh.SSHKey) -> str:
    return key.export_public_key().decode().strip()


@asynccontextmanager
async def served(home: Path, files: type[Files] = Files) -> AsyncIterator[Server]:
    server = Server(CLIENT_KEY)
    listening = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=lambda: server,
        server_host_keys=HOST_KEYS,
        sftp_factory=partial(files, root=home),
    )
    server.port = listening.get_port()
    try:
        yield server
    finally:
        listening.close()
        await listening.wait_closed()


def form(server: Server, **more: Any) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": server.port,
        "username": "shop",
        "password": {"env": "TILL"},
        "host_key": public(HOST_KEYS[0]),
        "networks": ["127.0.0.0/8"],
        **more,
    }


def folder(home: Path, server: Server, credential: str = PASSWORD, **more: Any) -> SftpFolder:
    path = home / "sources.yaml"
    drop = {"folder": "/till", "mapping": "mapping.yaml", "sftp": form(server, **more)}
    path.write_text(json.dumps({"sources": {TILL: {"channel": "files", "drop": drop}}}))
    found = load(path, {"TILL": credential}).by_name[TILL]
    assert found.form.drop is not None
    assert found.form.drop.sftp is not None
    return SftpFolder(found.form.drop.sftp, str(found.form.drop.folder), found.credential)


async def listed(place: SftpFolder) -> list[str]:
    async with place.open() as spot:
        return sorted(each.name for each in await spot.look())


async def test_it_logs_in_by_password_and_by_key(home: Path) -> None:
    (home / "till" / "sales.csv").write_text(sales(1))
    key = CLIENT_KEY.export_private_key().decode().strip()
    async with served(home) as server:
        assert await listed(folder(home, server)) == ["sales.csv"]
        by_key = {"password": None, "private_key": {"env": "TILL"}}
        assert await listed(folder(home, server, key, **by_key)) == ["sales.csv"]


@pytest.mark.parametrize("key", HOST_KEYS, ids=["ed25519", "rsa"])
async def test_any_of_the_keys_of_a_server_may_be_the_one_that_is_known(
    home: Path, key: asyncssh.SSHKey
) -> None:
    async with served(home) as server:
        assert await listed(folder(home, server, host_key=public(key))) == []


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
async def test_a_server_with_another_key_is_told_nothing(home: Path, kind: str) -> None:
    stranger = public(asyncssh.generate_private_key(kind))
    async with served(home) as server:
        with pytest.raises(Declined) as told:
            await listed(folder(home, server, host_key=stranger))
        assert server.tried == []
    shown = HOST_KEYS[1] if kind == "ssh-rsa" else HOST_KEYS[0]
    assert shown.get_fingerprint() in str(told.value)
    assert f"write `host_key: {public(shown)}`" in str(told.value)
    assert PASSWORD not in str(told.value)


async def test_a_wrong_password_is_said_and_not_shown(home: Path) -> None:
    async with served(home) as server:
        with pytest.raises(Declined, match="neither this username nor this credential") as told:
            await listed(folder(home, server, "guess"))
    assert "guess" not in str(told.value)


async def test_an_address_inside_is_not_connected_to_unless_it_is_listed(home: Path) -> None:
    async with served(home) as server:
        with pytest.raises(Declined, match="leads inside"):
            await listed(folder(home, server, networks=[]))
        assert server.tried == []


async def test_a_server_that_is_gone_is_away(home: Path) -> None:
    async with served(home) as server:
        place = folder(home, server)
    with pytest.raises(Away, match="cannot be reached"):
        await listed(place)


async def test_a_folder_that_is_not_there_is_away(home: Path) -> None:
    (home / "till").rmdir()
    async with served(home) as server:
        with pytest.raises(Away, match="not there"):
            await listed(folder(home, server))


async def test_names_that_lead_elsewhere_are_passed_over(home: Path) -> None:
    async with served(home, Lies) as server, folder(home, server).open() as spot:
        found = await spot.look()
    assert len(found) == 6
    assert all(fault_of(each) for each in found)


async def test_a_link_that_leads_out_is_not_followed(home: Path) -> None:
    (home / "outside.csv").write_text(sales(1))
    (home / "till" / "link.csv").symlink_to("../outside.csv")
    (home / "till" / "old").mkdir()
    (home / "till" / "old" / "a.csv").write_text(sales(2))
    (home / "till" / "inside.csv").symlink_to("old/a.csv")
    async with served(home) as server, folder(home, server).open() as spot:
        found = {each.name: each.leads_out for each in await spot.look()}
    assert found == {"link.csv": True, "inside.csv": False}


@pytest.mark.parametrize("is_here", [True, False])
async def test_a_file_that_changes_while_it_is_read_is_looked_at_again(home: Path, is_here: bool) -> None:
    (home / "till" / "sales.csv").write_text(sales(1))
    place: Place
    async with served(home) as server:
        place = LocalFolder(home / "till") if is_here else folder(home, server)
        await _changed(home, place)


async def _changed(home: Path, place: Place) -> None:
    async with place.open() as spot:
        [seen] = await spot.look()
        (home / "till" / "sales.csv").write_text(sales(1, 2))
        with pytest.raises(Gone):
            [piece async for piece in spot.read(seen)]
        (home / "till" / "sales.csv").unlink()
        with pytest.raises(Gone):
            [piece async for piece in spot.read(seen)]


async def test_nothing_is_written_over(home: Path) -> None:
    till = home / "till"
    async with served(home) as server, folder(home, server).open() as spot:
        for text in ("one", "two"):
            (till / "sales.csv").write_text(text)
            assert await spot.set_aside("sales.csv", "refused", "why " + text)
    assert sorted((each.name, each.read_text()) for each in (till / "refused").iterdir()) == [
        ("sales.csv", "one"),
        ("sales.csv.1", "two"),
        ("sales.csv.1.why", "why two"),
        ("sales.csv.why", "why one"),
    ]


async def test_where_nothing_may_be_moved_it_stays(home: Path) -> None:
    (home / "till" / "sales.csv").write_text(sales(1))
    async with served(home, ReadOnly) as server, folder(home, server).open() as spot:
        assert not await spot.set_aside("sales.csv", "taken")
    assert (home / "till" / "sales.csv").exists()


@pytest.mark.servers
async def test_what_is_dropped_on_a_server_is_taken_once(rig: Rig) -> None:
    rig.drop("sales.csv", sales(1, 2))
    rig.drop("wrong.csv", "")
    async with served(rig.home) as server:
        drop: dict[str, Any] = {"folder": "/till", "sftp": form(server)}
        await looked(rig.drops(rig.installed(**drop)))
        rig.drop("again.csv", sales(1, 2))
        await looked(rig.drops(rig.installed(**drop)))
    assert rig.receipts() == [1, 2]
    assert rig.names("taken") == ["again.csv", "sales.csv"]
    assert rig.names("refused") == ["wrong.csv", "wrong.csv.why"]
