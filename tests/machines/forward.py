"""Forward TCP connections from one address to another: `python -m tests.machines.forward FROM TO PORT...`.

It prints `ready` when it accepts connections.

The platform's servers listen on loopback only. A host in its own network namespace reaches them through two forwarders.
"""

import argparse
import asyncio
import contextlib
import sys
from functools import partial

_CHUNK_BYTES = 65_536


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
    writer.close()


async def _handle(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, host: str, port: int
) -> None:
    try:
        target_reader, target_writer = await asyncio.open_connection(host, port)
    except OSError:
        writer.close()
        return
    await asyncio.gather(_copy(reader, target_writer), _copy(target_reader, writer))


async def _forward(listen: str, target: str, ports: list[int]) -> None:
    for port in ports:
        await asyncio.start_server(partial(_handle, host=target, port=port), listen, port)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def main() -> None:
    """Forward connections until the process is killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("listen")
    parser.add_argument("target")
    parser.add_argument("ports", type=int, nargs="+")
    options = parser.parse_args()
    asyncio.run(_forward(options.listen, options.target, options.ports))


if __name__ == "__main__":
    main()
