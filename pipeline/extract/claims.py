"""One visit to a company at a time over all runs: a claim in Redis, which ends by itself with who holds it."""

from datetime import timedelta
from uuid import uuid4

from redis import Redis

_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class Claims:
    """The claims of one run."""

    def __init__(self, redis: Redis, *, good_for: timedelta) -> None:
        """`good_for`: the longest that a run can be busy with one company."""
        self._redis, self._good_for = redis, good_for
        self._name = uuid4().hex
        self._release = redis.register_script(_RELEASE)
        self._held: set[str] = set()

    def take(self, idno: str) -> bool:
        """Claim a company, or hold on to it; False if another run has it."""
        key = _key(idno)
        taken = bool(self._redis.set(key, self._name, nx=True, px=self._good_for))
        if not taken and self._redis.get(key) == self._name:
            taken = bool(self._redis.set(key, self._name, px=self._good_for))
        if taken:
            self._held.add(idno)
        return taken

    def release(self, idno: str) -> None:
        """Let go of a company."""
        if idno in self._held:
            self._held.discard(idno)
            self._release(keys=[_key(idno)], args=[self._name])

    def release_all(self) -> None:
        """Let go of everything."""
        for idno in list(self._held):
            self.release(idno)


def _key(idno: str) -> str:
    return f"claim:{idno}"
