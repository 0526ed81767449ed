"""The API conforms to its OpenAPI document for any input and any caller (schemathesis)."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import chain
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.auth.roles import Role
from tests.api.served_api import ServedApi
from tests.long_version import examples

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
EXAMPLES = examples(9, long=25)
"""Cases for each operation and each way of generation. An admin, who may use all operations, sends all of them."""
EXAMPLES_OF_OTHERS = examples(3, long=25)
Cases = dict[GenerationMode, list[list[Any]]]
"""For each way of generation, the cases of each operation."""
SignIn = Callable[[], dict[str, str]]
ENDS_SESSIONS = ("/auth/logout/", "/auth/sessions/", "/auth/password/")
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


@pytest.fixture(scope="module")
def callers(served: ServedApi) -> Iterator[dict[str, SignIn]]:
    """For each kind of caller, a function that signs in and returns the headers to send."""

    def fresh(role: Role) -> SignIn:
        user = stack.enter_context(served.signed_in_as(role))

        def headers() -> dict[str, str]:
            return {"Authorization": f"Bearer {user.sign_in()['access_token']}"}

        return headers

    with ExitStack() as stack:
        yield {"anonymous": dict, **{str(role): fresh(role) for role in Role}}


@pytest.fixture(scope="module")
def cases(served: ServedApi) -> Cases:
    """Valid and invalid input for every operation, generated once for all callers."""
    served.harness.services.wakeups.close()  # no run ends, so no request should wait for one
    schema = schemathesis.openapi.from_url(f"{served.url}/openapi.json")
    found: Any = schema.get_all_operations()
    operations = [operation.ok() for operation in found]
    return {
        mode: [
            generated(operation, mode)
            for operation in operations
            if mode is GenerationMode.POSITIVE or can_be_invalid(operation)
        ]
        for mode in MODES
    }


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("caller", ["anonymous", *(str(role) for role in Role)])
def test_every_response_conforms_to_the_openapi_document(
    cases: Cases, callers: dict[str, SignIn], caller: str, mode: GenerationMode
) -> None:
    statuses: Counter[int] = Counter()
    count = EXAMPLES if caller == Role.ADMIN else EXAMPLES_OF_OTHERS
    with requests.Session() as session:
        session.trust_env = False
        headers = callers[caller]()
        for case in chain.from_iterable(of_operation[-count:] for of_operation in cases[mode]):
            answer = case.call_and_validate(session=session, headers=headers, checks=CHECKS)
            statuses[answer.status_code] += 1
            if case.method != "GET" and case.operation.path.startswith(ENDS_SESSIONS):
                headers = callers[caller]()
    assert not any(status >= 500 for status in statuses), statuses
    assert len(cases[mode]) > 25
    assert all(cases[mode])
    if caller == "anonymous":
        assert statuses[401] > statuses[200]


def generated(operation: Any, mode: GenerationMode) -> list[Any]:
    """Return valid or invalid input for an operation."""
    found = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def collect(case: Any) -> None:
        found.append(case)

    collect()
    return found


def can_be_invalid(operation: Any) -> bool:
    """Return whether an operation has a body or parameters, not all of which accept any text."""
    parameters = [parameter.definition for parameter in operation.iter_parameters()]
    return bool(operation.body) or any(
        each["in"] == "query" or set(each["schema"]) - {"title"} != {"type"} for each in parameters
    )


def test_every_route_documented_as_secured_requires_credentials(served: ServedApi) -> None:
    document = served.anonymous.get("/openapi.json").json()
    guarded = 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if "security" not in operation:
                continue
            guarded += 1
            answer = served.anonymous.request(method, path.replace("{", "").replace("}", ""))
            assert answer.status_code == 401, (method, path)
            assert {"401", "403", "429", "503"} <= set(operation["responses"])
    assert guarded > 15
