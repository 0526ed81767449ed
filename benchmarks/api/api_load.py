"""Load generator: clients that request companies. It is a separate program, so that it can run on other cores.

    python -m benchmarks.api.api_load PORT CLIENTS SECONDS < tokens and IDNOs as JSON

Each client sends its next request after the response to the previous one. The program prints JSON: responses per
second, and the 50th and 99th percentile of the latency in milliseconds.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from itertools import count
from typing import cast

import uvloop

_WARM_UP_SECONDS = 0.5


@dataclass(frozen=True)
class MeasuredLoad:
    """Throughput and latencies that the clients measured."""

    per_second: float
    p50_ms: float
    p99_ms: float


class LoadClient(asyncio.Protocol):
    """A client with one persistent connection and one request at a time."""

    def __init__(self, requests: list[bytes], first: int) -> None:
        self._requests, self._next = requests, count(first)
        self._transport: asyncio.Transport | None = None
        self._sent_at, self._missing, self._got = 0.0, 0, b""
        self.answered: list[tuple[float, float]] = []
        """For each response: when it was complete (`time.perf_counter`), and its latency; both in seconds."""
        self.failure: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's class does not inherit from it
        self._send()

    def data_received(self, data: bytes) -> None:
        """Process a part of a response; send the next request when it is complete."""
        if not self._missing:
            self._got += data
            head, end, body = self._got.partition(b"\r\n\r\n")
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 200"):
                self.failure = head.partition(b"\r\n")[0].decode()
                return
            self._got = b""
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            self._missing, data = int(length), body
        self._missing -= len(data)
        if not self._missing:
            now = time.perf_counter()
            self.answered.append((now, now - self._sent_at))
            self._send()

    def stop(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.abort()

    def _send(self) -> None:
        assert self._transport is not None
        self._sent_at = time.perf_counter()
        self._transport.write(self._requests[next(self._next) % len(self._requests)])


async def measure(
    port: int, clients: int, seconds: float, tokens: list[str], idnos: list[str]
) -> MeasuredLoad:
    """Measure the server under load.

    Args:
        port: The server's port on this machine.
        clients: Number of concurrent clients.
        seconds: Duration of the measurement, after a warm-up.
        tokens: Access tokens, used in turn by the clients.
        idnos: Companies to request.

    Raises:
        SystemExit: A response had another status than 200, or no response arrived.
    """
    loop, opened = asyncio.get_running_loop(), []
    for number in range(clients):
        requests = [request(tokens[number % len(tokens)], idno) for idno in idnos]
        client = LoadClient(requests, number * len(idnos) // clients)
        opened.append(client)
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.sleep(_WARM_UP_SECONDS)
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    ended = time.perf_counter()
    for client in opened:
        client.stop()
    if failures := [client.failure for client in opened if client.failure]:
        raise SystemExit(f"the server answered with {failures[0]}")
    took = sorted(took for client in opened for at, took in client.answered if began <= at < ended)
    if not took:
        raise SystemExit("no response arrived")
    p50, p99 = (round(took[int(len(took) * part)] * 1000, 3) for part in (0.5, 0.99))
    return MeasuredLoad(round(len(took) / (ended - began), 1), p50, p99)


def request(token: str, idno: str) -> bytes:
    """Return the bytes of a request for a company."""
    body = json.dumps({"idno": idno}).encode()
    head = (
        "POST /scrape/ HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {token}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def main() -> None:
    """Run the measurement that the command line describes."""
    port, clients, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    given = json.load(sys.stdin)
    measured = uvloop.run(measure(port, clients, seconds, given["tokens"], given["idnos"]))
    print(json.dumps(asdict(measured)))


if __name__ == "__main__":
    main()
