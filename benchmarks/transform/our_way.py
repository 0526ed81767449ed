"""Registru's re-transformation: `python -m benchmarks.transform.our_way PROCESSES`.

It is a separate program, so that its memory can be measured. It takes the URL of the warehouse from the environment
variable BENCHMARK_URL, and prints the result as JSON.
"""

import json
import os
import sys
import time

from pipeline.records.quarantine import Tolerance
from pipeline.records.retransform import retransform_stale
from pipeline.records.warehouse_engine import engine_for


def main() -> None:
    """Transform all stale captures; print how many, and the seconds."""
    url = os.environ["BENCHMARK_URL"]
    began = time.monotonic()
    companies = 0
    for results in retransform_stale(
        engine_for(url).begin, url, processes=int(sys.argv[1]), tolerance=Tolerance()
    ):
        wrong = [each for each in results if each.result != "transformed"]
        if wrong:
            sys.exit(f"not transformed: {wrong[0]}")
        companies += len(results)
    print(json.dumps({"companies": companies, "seconds": time.monotonic() - began}))


if __name__ == "__main__":
    main()
