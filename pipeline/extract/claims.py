"""Claims: locks in Redis, so that at most one run visits a company at a time.

A claim expires by itself. Another run may take over the claim of a run that has ended.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from redis import Redis

from warehouse.config.lua import load_script

_LUA = Path(__file__).parent / "lua"
_ACQUIRE = load_script(_LUA, "acquire_claim")
_RELEASE = load_script(_LUA, "release_claim")


class Claims:
    """The claims of one run."""

    def __init__(
        self, redis: Redis, *, run_id: str, ttl: timedelta, has_ended: Callable[[str], bool]
    ) -> None:
        """Prepare the scripts; claim nothing yet.

        Args:
            redis: The client of the state database.
            run_id: The run that claims companies.
            ttl: How long a claim lasts: the longest time that the run can spend on one company.
            has_ended: Takes the id of a run, and returns whether that run has ended.
        """
        self._redis, self._run_id, self._has_ended = redis, run_id, has_ended
        self._ttl_ms = round(ttl.total_seconds() * 1000)
        self._acquire, self._release = redis.register_script(_ACQUIRE), redis.register_script(_RELEASE)
        self._claimed: set[str] = set()

    def acquire(self, idno: str) -> bool:
        """Claim a company or renew the claim. Return False if another run has the claim and has not ended."""
        holder = self._try_acquire(idno, instead_of="")
        if holder != self._run_id and self._has_ended(holder):
            holder = self._try_acquire(idno, instead_of=holder)
        if holder != self._run_id:
            return False
        self._claimed.add(idno)
        return True

    def _try_acquire(self, idno: str, *, instead_of: str) -> str:
        return str(self._acquire(keys=[_key(idno)], args=[self._run_id, self._ttl_ms, instead_of]))

    def release(self, idno: str) -> None:
        """Release the claim on a company, if this run has one."""
        if idno in self._claimed:
            self._claimed.discard(idno)
            self._release(keys=[_key(idno)], args=[self._run_id])

    def release_all(self) -> None:
        """Release all claims of this run."""
        for idno in list(self._claimed):
            self.release(idno)


def _key(idno: str) -> str:
    return f"claim:{idno}"
