"""The measurements: the variants run in turns, so that other load on the machine affects all of them equally."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

from benchmarks.latency.bare_way import bare_script
from benchmarks.machine import Machine
from standin.server import Site, running_site
from standin.site_facts import make_idno
from tests.platform_harness import Platform, running_platform
from tests.platform_user import PlatformUser

BARE, OURS, STOCK = "bare script", "registru", "Dagster's own launcher"
_FIRST = 70_000
_REST_SECONDS = 0.5
"""Pause before each request: the previous run may still report its end to Dagster, which slows the request down."""


@dataclass(frozen=True)
class LatencyPlan:
    """Size of the benchmark."""

    companies: int = 20


@dataclass(frozen=True)
class LatencyReport:
    """All results: seconds from the request to the record, by variant."""

    machine: Machine
    plan: LatencyPlan
    seconds: Mapping[str, list[float]] = field(default_factory=dict)

    def median(self, way: str) -> float:
        """Return the median of a variant in seconds."""
        return median(self.seconds[way])

    def p95(self, way: str) -> float:
        """Return the 95th percentile of a variant in seconds."""
        return quantiles(self.seconds[way], n=20, method="inclusive")[-1]

    @property
    def ratios(self) -> dict[str, float]:
        """The ratios of Registru to the bare script and to Dagster's own launcher."""
        return {
            "median, of the bare script's": self.median(OURS) / self.median(BARE),
            "95th percentile, of the bare script's": self.p95(OURS) / self.p95(BARE),
            "times as fast as with Dagster's own launcher": self.median(STOCK) / self.median(OURS),
        }


def measure(plan: LatencyPlan) -> LatencyReport:
    """Run the benchmark."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="latency-")))
        site = stack.enter_context(running_site())
        ours = stack.enter_context(_platform(folder / "ours", site))
        stock = stack.enter_context(_platform(folder / "stock", site, warm_runs="false", warm_browsers="0"))
        bare = bare_script()
        ways: dict[str, Callable[[str], float]] = {
            BARE: lambda idno: bare(site.page_url(idno), idno),
            OURS: lambda idno: _request(ours, idno),
            STOCK: lambda idno: _request(stock, idno),
        }
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for way in ways.values():
            way(make_idno(_FIRST))  # warm-up: robots.txt, first connections
        for number in range(1, plan.companies + 1):
            for name, way in ways.items():
                time.sleep(_REST_SECONDS)
                seconds[name].append(way(make_idno(_FIRST + number)))
        return LatencyReport(Machine.current(), plan, seconds)


@contextmanager
def _platform(home: Path, site: Site, **settings: str) -> Iterator[PlatformUser]:
    settings = {"warm_browsers": "2", **settings}
    platform: Platform
    with (
        running_platform(home, site, rate=0, durable=True, **settings) as platform,
        platform.signed_in() as user,
    ):
        yield user


def _request(user: PlatformUser, idno: str) -> float:
    begun = time.perf_counter()
    answer = user.http.post("/scrape/", params={"wait": 60}, json={"idno": idno, "force_refresh": True})
    taken = time.perf_counter() - begun
    body = answer.json()
    if answer.status_code != 200 or body["data"]["idno"] != idno:
        raise RuntimeError(f"the company {idno} was not fetched: {answer.text[:500]}")
    return taken
