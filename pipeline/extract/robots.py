"""The rules in a site's robots.txt (RFC 9309, parsed by protego), cached in Redis for all runs."""

import codecs
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar
from urllib.parse import urlsplit

import httpx
from protego import Protego
from redis import Redis

from pipeline.settings import ROBOTS_NAME

_CACHE_TTL = timedelta(days=1)
_TIMEOUT_SECONDS = 10
_MAX_BYTES = 512 * 1024
"""RFC 9309 requires a parsing limit of at least 500 KiB."""
_BYTE_ORDER_MARKS = (  # UTF-32 comes first, because its little-endian mark begins with the one of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_INVISIBLE = dict.fromkeys(map(ord, "\x00\ufeff\u200b\u200e\u200f\u2060"))
_LINE_END = re.compile(r"\r\n?|\n")
_USER_AGENT = re.compile(r"(?P<field>user[- ]?agent)(?:\s*:\s*|\s+)(?P<token>\*|[a-z_-]*)", re.IGNORECASE)
_DISALLOW = re.compile(r"dis+al+ow\b", re.IGNORECASE)


class Robots:
    """The robots.txt rules of all hosts, each fetched once a day.

    Call `load` before you ask about a host. If it returns False, call `fetch`.
    """

    FAILURE_TTL: ClassVar[timedelta] = timedelta(minutes=5)
    """How long a whole site is forbidden after robots.txt was answered with 429 or 5xx (RFC 9309, 2.3.1.4)."""

    def __init__(self, redis: Redis, *, user_agent: str) -> None:
        self._redis, self._user_agent = redis, user_agent
        self._rules: dict[str, _HostRules] = {}

    def load(self, host: str) -> bool:
        """Load a host's rules from Redis. Return False if Redis does not have them; then call `fetch`."""
        stored = self._redis.get(_key(host))
        if stored is None:
            return False
        if host not in self._rules or self._rules[host].stored != stored:
            self._rules[host] = _HostRules.parse(str(stored))
        return True

    def fetch(self, url: str) -> None:
        """Fetch the robots.txt of the host of `url` and cache it.

        A host that does not answer counts as a host without rules: the visit that follows fails anyway.
        """
        parts = urlsplit(url)
        status, text = self._download(f"{parts.scheme}://{parts.netloc}/robots.txt")
        ttl = _CACHE_TTL if status is not None and not _is_failure(status) else self.FAILURE_TTL
        stored = json.dumps({"status": status, "text": text})
        self._redis.set(_key(parts.netloc), stored, ex=ttl)
        self._rules[parts.netloc] = _HostRules.parse(stored)

    def failure_reason(self, host: str) -> str | None:
        """Return why all URLs of the host are forbidden for now; None if they are not.

        The reason is that its robots.txt was answered with status 429 or 5xx.
        """
        status = self._rules[host].status
        return f"robots.txt of {host} was answered with status {status}" if _is_failure(status) else None

    def allows(self, url: str) -> bool:
        """Return whether the host's robots.txt allows us to fetch `url`."""
        return bool(self._rules[urlsplit(url).netloc].rules.can_fetch(url, ROBOTS_NAME))

    def delay_seconds(self, host: str) -> float:
        """Return the delay that a host demands between requests; 0 if there is none or the rules are not loaded."""
        if host not in self._rules:
            return 0
        rules = self._rules[host].rules
        crawl_delay, rate = rules.crawl_delay(ROBOTS_NAME), rules.request_rate(ROBOTS_NAME)
        return max(float(crawl_delay or 0), rate.seconds / rate.requests if rate else 0)

    def _download(self, url: str) -> tuple[int | None, str]:
        """Return the status (None without an answer) and the text, which is empty unless the status is 2xx."""
        options = {"headers": {"User-Agent": self._user_agent}, "follow_redirects": True, "trust_env": False}
        body = b""
        try:
            with httpx.stream("GET", url, timeout=_TIMEOUT_SECONDS, **options) as answer:  # type: ignore[arg-type]
                for chunk in answer.iter_bytes():
                    body += chunk
                    if len(body) > _MAX_BYTES:
                        break
        except httpx.HTTPError:
            return None, ""
        return answer.status_code, decode(body) if answer.is_success else ""


@dataclass(frozen=True)
class _HostRules:
    """A host's robots.txt: as it is stored in Redis, and parsed."""

    stored: str
    status: int | None
    rules: Protego

    @classmethod
    def parse(cls, stored: str) -> "_HostRules":
        """Parse what Redis stores."""
        answer = json.loads(stored)
        return cls(stored, answer["status"], Protego.parse(normalize(answer["text"])))


def decode(content: bytes) -> str:
    """Return the text of a robots.txt. It should be UTF-8 (RFC 9309, 2.3), but some servers send UTF-16 or UTF-32.

    >>> decode("User-agent: *".encode("utf-16"))
    'User-agent: *'
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content.removeprefix(mark).decode(encoding, errors="replace")
    # Directives are ASCII. In UTF-16 without a mark, each second byte of an ASCII text is zero.
    opening = content[:64]
    if opening.count(0) * 3 > len(opening):
        return content.decode("utf-16-be" if opening[:1] == b"\x00" else "utf-16-le", errors="replace")
    return content.decode("utf-8-sig", errors="replace")


def normalize(text: str) -> str:
    """Return a robots.txt in the form that protego reads.

    Invisible characters, such as byte-order marks, are removed, and a user agent is its product token without a version
    (RFC 9309, 2.2.1). `Disallow` lines before the first `User-agent` line apply to all user agents: the RFC ignores
    them, but a site that writes one wants to forbid something.

    >>> normalize("\\ufeffDisallow: /")
    'User-agent: *\\nDisallow: /'
    >>> normalize("User-agent: Registru/1.0\\r\\nDisallow: /")
    'User-agent: Registru\\nDisallow: /'
    """
    lines = [line.strip() for line in _LINE_END.split(text.translate(_INVISIBLE))]
    first = next((number for number, line in enumerate(lines) if _USER_AGENT.match(line)), len(lines))
    ungrouped = [line for line in lines[:first] if _DISALLOW.match(line)]
    grouped = [_product_token(line) for line in lines[first:]]
    return "\n".join([*(["User-agent: *", *ungrouped] if ungrouped else []), *grouped])


def _product_token(line: str) -> str:
    """Return the line; if it names a user agent, with the product token alone."""
    match = _USER_AGENT.match(line)
    return f"User-agent: {match['token']}" if match and match["token"] else line


def _is_failure(status: int | None) -> bool:
    return status is not None and (status >= 500 or status == httpx.codes.TOO_MANY_REQUESTS)


def _key(host: str) -> str:
    return f"site:{host}:robots"
