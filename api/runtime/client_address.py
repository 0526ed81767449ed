"""The address and user agent of a request's client."""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

_LONGEST_USER_AGENT = 200


@dataclass(frozen=True)
class RequestClient:
    """A client: its address as the gateway saw it, and its user agent."""

    address: str
    user_agent: str | None

    @property
    def network(self) -> str:
        """What rate limits count: the address; for IPv6 its /64 network, because one household has 2^64 addresses."""
        return _network(self.address)


@lru_cache(4_096)
def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))


def client_of(connection: HTTPConnection) -> RequestClient:
    """Return the client of a request; its user agent is truncated and made printable."""
    agent = connection.headers.get("user-agent", "")
    printable = agent
    if not agent.isprintable():
        printable = "".join(character if character.isprintable() else "?" for character in agent)
    return RequestClient(
        address=connection.client.host if connection.client else "unknown",
        user_agent=printable[:_LONGEST_USER_AGENT] or None,
    )


async def _client(connection: HTTPConnection) -> RequestClient:
    return client_of(connection)


ClientDep = Annotated[RequestClient, Depends(_client)]
