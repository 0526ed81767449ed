"""What a site's robots.txt allows us (RFC 9309, read by protego), remembered in Redis for all runs."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar
from urllib.parse import urlsplit

import httpx
from protego import Protego
from redis import Redis

from pipeline.settings import ROBOTS_NAME

_GOOD_FOR = timedelta(days=1)
_TIMEOUT_SECONDS = 10
_LARGEST = 512 * 1024
"""RFC 9309 asks for at least 500 KiB to be read."""


class Robots:
    """The rules of sites, fetched once a day each."""

    UNREACHABLE_FOR: ClassVar[timedelta] = timedelta(minutes=5)
    """A robots.txt that is answered with a server error forbids everything until then (RFC 9309, 2.3.1.4)."""

    def __init__(self, redis: Redis, *, user_agent: str) -> None:
        self._redis, self._user_agent = redis, user_agent
        self._read: dict[str, _Rules] = {}

    def is_known(self, host: str) -> bool:
        """Tell whether the rules are at hand; if not, `learn` fetches them."""
        held = self._redis.get(_key(host))
        if held is None:
            return False
        if host not in self._read or self._read[host].held != held:
            self._read[host] = _Rules.of(str(held))
        return True

    def learn(self, url: str) -> None:
        """Fetch the rules of the site of `url`. One that cannot be reached says nothing: a visit will show it."""
        parts = urlsplit(url)
        status, text = self._fetch(f"{parts.scheme}://{parts.netloc}/robots.txt")
        good_for = _GOOD_FOR if status is not None and not _is_refusal(status) else self.UNREACHABLE_FOR
        held = json.dumps({"status": status, "text": text})
        self._redis.set(_key(parts.netloc), held, ex=good_for)
        self._read[parts.netloc] = _Rules.of(held)

    def unreachable(self, host: str) -> str | None:
        """Return why nothing may be fetched for now, if so."""
        status = self._read[host].status
        return f"robots.txt of {host} was answered with status {status}" if _is_refusal(status) else None

    def allows(self, url: str) -> bool:
        """Tell whether a page may be fetched."""
        return bool(self._read[urlsplit(url).netloc].rules.can_fetch(url, ROBOTS_NAME))

    def delay_seconds(self, host: str) -> float:
        """Return the wait between requests that a site asks for; 0 where it asks for none, or is not known."""
        if host not in self._read:
            return 0
        rules = self._read[host].rules
        asked, rate = rules.crawl_delay(ROBOTS_NAME), rules.request_rate(ROBOTS_NAME)
        return max(float(asked or 0), rate.seconds / rate.requests if rate else 0)

    def _fetch(self, url: str) -> tuple[int | None, str]:
        """Return status (None: no answer) and text."""
        options = {"headers": {"User-Agent": self._user_agent}, "follow_redirects": True, "trust_env": False}
        body = b""
        try:
            with httpx.stream("GET", url, timeout=_TIMEOUT_SECONDS, **options) as answer:  # type: ignore[arg-type]
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > _LARGEST:
                        break
        except httpx.HTTPError:
            return None, ""
        return answer.status_code, body.decode(errors="replace") if answer.is_success else ""


@dataclass(frozen=True)
class _Rules:
    """A robots.txt as it is remembered, and read."""

    held: str
    status: int | None
    rules: Protego

    @classmethod
    def of(cls, held: str) -> "_Rules":
        """Read what is remembered."""
        answer = json.loads(held)
        return cls(held, answer["status"], Protego.parse(answer["text"]))


def _is_refusal(status: int | None) -> bool:
    return status is not None and (status >= 500 or status == httpx.codes.TOO_MANY_REQUESTS)


def _key(host: str) -> str:
    return f"site:{host}:robots"
