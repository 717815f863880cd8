"""A folder on an SFTP server, whose host key is known before anything is told to it."""

import asyncio
import stat
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from ipaddress import ip_address
from pathlib import PurePosixPath
from typing import TypeVar, cast

import asyncssh

from connectors.drops.form import SftpForm
from connectors.drops.lying import ENTRIES_MAX, READ_BYTES, WHY, Barred, Folder, Gone, Lying, numbered
from connectors.polling.asking import Away, Declined
from connectors.polling.guard import ADDRESSES_MAX, Resolve, is_allowed, resolve

CONNECT_S = LOGIN_S = 30.0
T = TypeVar("T")

ANSWER_S = 60.0
"""A server that is alive and does not answer for so long is away."""
KEEPALIVE_S = 15.0
HOST_KEY_ALGORITHMS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
_GONE = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath)
_BARRED = (
    asyncssh.SFTPPermissionDenied,
    asyncssh.SFTPWriteProtect,
    asyncssh.SFTPOpUnsupported,
    asyncssh.SFTPFailure,
)
"""By version 3 of the protocol a server says no more than that it failed."""

asyncssh.set_log_level("WARNING")


class SftpFolder:
    """Each look has a connection of its own. `credential` is the password, or the text of the private key."""

    def __init__(self, form: SftpForm, folder: str, credential: str, find: Resolve = resolve) -> None:
        self._form = form
        self._folder = PurePosixPath(folder)
        self._credential = credential
        self._find = find

    @asynccontextmanager
    async def open(self) -> AsyncIterator["SftpSpot"]:
        async with await self._connected() as connection:
            with _asked():
                sftp = await connection.start_sftp_client(path_errors="surrogateescape")
            yield SftpSpot(sftp, self._folder)

    async def _connected(self) -> asyncssh.SSHClientConnection:
        """At the first address that can be reached. Where any of them is inside and not listed, none is tried."""
        failed = Away("its host has no address")
        for address in await self._addresses():
            try:
                return await self._connected_to(address)
            except Away as error:
                failed = error
        raise failed

    async def _addresses(self) -> list[str]:
        try:
            found = list(await self._find(self._form.host, self._form.port))[:ADDRESSES_MAX]
        except OSError:
            raise Away("its host is not known") from None
        if not all(is_allowed(ip_address(each), self._form.networks) for each in found):
            raise Declined("its address leads inside; list its network if it may")
        return found

    async def _connected_to(self, address: str) -> asyncssh.SSHClientConnection:
        witness = _Witness()
        trusted = [asyncssh.import_public_key(line) for line in self._form.host_key]
        try:
            return await asyncssh.connect(
                address,
                self._form.port,
                config=None,
                client_factory=lambda: witness,
                known_hosts=(trusted, [], []),
                server_host_key_algs=_algorithms(trusted),
                username=self._form.username,
                agent_path=None,
                gss_host=None,
                connect_timeout=CONNECT_S,
                login_timeout=LOGIN_S,
                keepalive_interval=KEEPALIVE_S,
                **self._proof(),
            )
        except asyncssh.HostKeyNotVerifiable:
            raise Declined(witness.told()) from None
        except asyncssh.PermissionDenied:
            raise Declined("the server takes neither this username nor this credential for it") from None
        except (OSError, asyncssh.Error) as error:
            raise Away(f"its server cannot be reached ({type(error).__name__})") from None

    def _proof(self) -> dict[str, object]:
        if self._form.password is not None:
            return {
                "password": self._credential,
                "client_keys": None,
                "preferred_auth": "password,keyboard-interactive",
            }
        return {"client_keys": [private_key(self._credential)], "preferred_auth": "publickey"}


class SftpSpot:
    """The folder, as long as the connection lasts."""

    def __init__(self, sftp: asyncssh.SFTPClient, folder: PurePosixPath) -> None:
        self._sftp = sftp
        self._folder = folder

    async def look(self) -> list[Lying]:
        found: list[Lying] = []
        with _folder_asked():
            async with asyncio.timeout(ANSWER_S):
                async for entry in self._sftp.scandir(str(self._folder)):
                    if (lying := await self._lying(str(entry.filename), entry.attrs)) is not None:
                        found.append(lying)
                    if len(found) > ENTRIES_MAX:
                        raise Declined(f"its folder holds more than {ENTRIES_MAX} files: clear it")
        return found

    async def read(self, lying: Lying) -> AsyncIterator[bytes]:
        """One request after another, so that no more than one piece is in memory."""
        with _asked():
            async with self._sftp.open(self._at(lying.name), "rb") as file:
                while piece := cast(bytes, await _within(file.read(READ_BYTES))):
                    yield piece
                told = await _within(file.stat())
        if (told.size, told.mtime) != (lying.size, lying.changed):
            raise Gone

    async def set_aside(self, name: str, folder: Folder, why: str = "") -> bool:
        beside = self._folder / folder
        try:
            with _asked():
                async with asyncio.timeout(ANSWER_S):
                    await self._move(name, beside, why)
        except Barred:
            return False
        return True

    async def _move(self, name: str, beside: PurePosixPath, why: str) -> None:
        if not await self._sftp.exists(str(beside)):
            await self._sftp.mkdir(str(beside))
        if await self._sftp.islink(str(beside)):
            raise Declined(f"{beside.name} in its folder is a link: make it a folder")
        names = numbered(name)
        free = next(names)
        while await self._sftp.lexists(str(beside / free)):
            free = next(names)
        if why:
            async with self._sftp.open(str(beside / (free + WHY)), "w", encoding="utf-8") as file:
                await file.write(why)
        await self._sftp.rename(self._at(name), str(beside / free))

    async def _lying(self, name: str, told: asyncssh.SFTPAttrs) -> Lying | None:
        """None for what is no file, or has gone meanwhile."""
        if name in (".", ".."):
            return None
        try:
            if stat.S_ISLNK(told.permissions or 0) or told.permissions is None:
                if not await self._is_inside(name):
                    return Lying(name, 0, 0, leads_out=True)
                told = await self._sftp.stat(self._at(name))
        except _GONE:
            return None
        if not stat.S_ISREG(told.permissions or stat.S_IFREG):
            return None
        return Lying(name, told.size or 0, told.mtime or 0)

    async def _is_inside(self, name: str) -> bool:
        inside = await self._sftp.realpath(str(self._folder))
        return PurePosixPath(str(await self._sftp.realpath(self._at(name)))).is_relative_to(str(inside))

    def _at(self, name: str) -> str:
        return str(self._folder / name)


class _Witness(asyncssh.SSHClient):
    """Trusts no other key than those that were named, and remembers which one was shown."""

    def __init__(self) -> None:
        self._shown: asyncssh.SSHKey | None = None

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self._shown = key
        return False

    def told(self) -> str:
        """What to do about it."""
        if self._shown is None:
            return "its server shows no host key that can be checked: no credential was sent"
        line = self._shown.export_public_key().decode().strip()
        return (
            f"its server shows another host key, {self._shown.get_fingerprint()}: no credential was sent. Ask who runs "
            f"the server; if the key is theirs, write `host_key: {line}`"
        )


def private_key(text: str) -> asyncssh.SSHKey:
    """The key. Raises ValueError where it cannot be read."""
    return asyncssh.import_private_key(text + "\n")


def _algorithms(trusted: list[asyncssh.SSHKey]) -> list[str]:
    """First those of the keys that are known: a server may have several. By the others it is seen which it has now."""
    known = {each.get_algorithm() for each in trusted}
    return sorted(
        HOST_KEY_ALGORITHMS, key=lambda name: not (name in known or ("rsa" in name and "ssh-rsa" in known))
    )


async def _within(asked: Awaitable[T]) -> T:
    async with asyncio.timeout(ANSWER_S):
        return await asked


@contextmanager
def _folder_asked() -> Iterator[None]:
    try:
        with _asked():
            yield
    except Gone:
        raise Away("its folder is not there") from None
    except Barred as error:
        raise Away(f"its folder cannot be read: {error}") from None


@contextmanager
def _asked() -> Iterator[None]:
    try:
        yield
    except _GONE:
        raise Gone from None
    except _BARRED as error:
        raise Barred(f"its server answers {type(error).__name__}") from None
    except (OSError, asyncssh.Error) as error:
        raise Away(f"its server does not answer ({type(error).__name__})") from None
