"""One visit to a company at a time over all runs: a claim in Redis, which others may take from a run that is over."""

from collections.abc import Callable
from datetime import timedelta

from redis import Redis

_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
# ARGV: who claims, for how many milliseconds, whose claim it may be taken from. Returns who holds it then.
_TAKE = """
local holder = redis.call('GET', KEYS[1])
if not holder or holder == ARGV[1] or holder == ARGV[3] then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return ARGV[1]
end
return holder
"""


class Claims:
    """The claims of one run."""

    def __init__(
        self, redis: Redis, *, run_id: str, good_for: timedelta, is_over: Callable[[str], bool]
    ) -> None:
        """`good_for`: the longest that a run can be busy with one company; `is_over` tells whether a run has ended."""
        self._redis, self._run_id, self._is_over = redis, run_id, is_over
        self._milliseconds = round(good_for.total_seconds() * 1000)
        self._release, self._take = redis.register_script(_RELEASE), redis.register_script(_TAKE)
        self._held: set[str] = set()

    def take(self, idno: str) -> bool:
        """Claim a company, or hold on to it; False if another run, which goes on, has it."""
        holder = self._ask(idno, instead_of="")
        if holder != self._run_id and self._is_over(holder):
            holder = self._ask(idno, instead_of=holder)
        if holder != self._run_id:
            return False
        self._held.add(idno)
        return True

    def _ask(self, idno: str, *, instead_of: str) -> str:
        return str(self._take(keys=[_key(idno)], args=[self._run_id, self._milliseconds, instead_of]))

    def release(self, idno: str) -> None:
        """Let go of a company."""
        if idno in self._held:
            self._held.discard(idno)
            self._release(keys=[_key(idno)], args=[self._run_id])

    def release_all(self) -> None:
        """Let go of everything."""
        for idno in list(self._held):
            self.release(idno)


def _key(idno: str) -> str:
    return f"claim:{idno}"
