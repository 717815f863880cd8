"""Bytes that a fuzzer thinks up, led by the lines of ours that they reach (libFuzzer, by atheris).

`python -m tests.torture.fuzzing records|requests -max_total_time=600 [FOLDER]`; FOLDER keeps what led on, to begin at.
"""

import sys
from dataclasses import replace
from typing import Any

import atheris

with atheris.instrument_imports(include=["schemas", "connectors"]):
    from connectors.channels import CHANNELS
    from connectors.gateway.intake import EVERY_INPUT
    from connectors.gateway.redrive import vouched
    from connectors.protocol.channel import Request
    from schemas.avsc import schema_of
    from schemas.codec import _READ_FAULTS
    from schemas.coders import FRAME_BYTES, Reader
    from schemas.plans import read_plan
    from schemas.reading import PythonReader
    from tests.connectors.channels.test_conformance import samples_of

HEADERS_MAX, TEXT_MAX = 3, 200


def readers(struct: type) -> tuple[Any, Any]:
    schema = schema_of(struct)
    plan = read_plan(schema, schema, struct)
    return Reader(schema, schema, struct).read, PythonReader(plan, FRAME_BYTES).read


READERS = [readers(struct) for struct in EVERY_INPUT.events]


def read_or_refused(read: Any, value: bytes) -> Any:
    try:
        return read(value)
    except _READ_FAULTS:
        return None


def records(data: bytes) -> None:
    """The compiled reader and the one in Python make the same of them, or both refuse them."""
    found = atheris.FuzzedDataProvider(data)
    compiled, plain = READERS[found.ConsumeIntInRange(0, len(READERS) - 1)]
    value = b"\0\0\0\0\1" + found.ConsumeBytes(len(data))
    assert repr(read_or_refused(compiled, value)) == repr(read_or_refused(plain, value))


def requests(data: bytes) -> None:
    """No channel raises: not at a stranger's request, and not at that of one who has proved to be the source."""
    found = atheris.FuzzedDataProvider(data)
    channel = CHANNELS[found.ConsumeIntInRange(0, len(CHANNELS) - 1)]
    of = samples_of(channel.name)
    request = of.sign(of.samples[found.ConsumeIntInRange(0, len(of.samples) - 1)].request, of.secret)
    asked = changed(request, found)
    channel.receive(asked, of.source)
    if channel.key_of is not None:
        channel.key_of(asked)
    channel.receive(asked, vouched(of.source))


def changed(request: Request, found: Any) -> Request:
    """The request with some of it in the fuzzer's words."""
    names = [*request.headers, "authorization", "content-type", "content-encoding"]
    headers = {
        names[found.ConsumeIntInRange(0, len(names) - 1)]: (text(found),)
        for _ in range(found.ConsumeIntInRange(0, HEADERS_MAX))
    }
    if found.ConsumeBool():
        request = replace(
            request, query=[(name, text(found)) for name, _ in request.query] + [("data", text(found))]
        )
    if found.ConsumeBool():
        place = found.ConsumeIntInRange(0, len(request.body))
        length = found.ConsumeIntInRange(0, len(request.body) - place)
        body = request.body[:place] + found.ConsumeBytes(TEXT_MAX) + request.body[place + length :]
        request = replace(request, body=body)
    return replace(request, headers={**request.headers, **headers})


def text(found: Any) -> str:
    """A header or a parameter as the gateway hands it on."""
    return str(found.ConsumeBytes(TEXT_MAX).decode("utf-8", "replace"))


TARGETS = {"records": records, "requests": requests}

if __name__ == "__main__":
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()
