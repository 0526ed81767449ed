"""Carries TCP connections from one address to another: `python -m tests.machines.forward FROM TO PORT...`.

Servers listen on loopback only; a host in a network namespace of its own reaches them through two of these.
"""

import argparse
import asyncio
import contextlib
from functools import partial

_PIECE_BYTES = 65_536


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(_PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
    writer.close()


async def _connect(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, host: str, port: int
) -> None:
    try:
        there, back = await asyncio.open_connection(host, port)
    except OSError:
        writer.close()
        return
    await asyncio.gather(_carry(reader, back), _carry(there, writer))


async def _forward(listen: str, target: str, ports: list[int]) -> None:
    for port in ports:
        await asyncio.start_server(partial(_connect, host=target, port=port), listen, port)
    await asyncio.Event().wait()


def main() -> None:
    """Forward until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("listen")
    parser.add_argument("target")
    parser.add_argument("ports", type=int, nargs="+")
    options = parser.parse_args()
    asyncio.run(_forward(options.listen, options.target, options.ports))


if __name__ == "__main__":
    main()
