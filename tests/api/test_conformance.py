"""The API conforms to its OpenAPI document for any input and any caller (schemathesis)."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.auth.roles import Role
from tests.platform_harness import Platform

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
EXAMPLES = 6
SignIn = Callable[[], dict[str, str]]
ENDS_SESSIONS = ("/auth/logout/", "/auth/sessions/", "/auth/password/")


@pytest.fixture(scope="module")
def callers(platform: Platform) -> Iterator[dict[str, SignIn]]:
    """For each kind of caller, a function that signs in and returns the headers to send."""

    def fresh(role: Role) -> SignIn:
        user = stack.enter_context(platform.signed_in_as(role))

        def headers() -> dict[str, str]:
            return {"Authorization": f"Bearer {user.sign_in()['access_token']}"}

        return headers

    with ExitStack() as stack:
        yield {"anonymous": dict, **{str(role): fresh(role) for role in Role}}


def operations(platform: Platform) -> list[Any]:
    schema = schemathesis.openapi.from_url(f"{platform.url}/openapi.json")
    found: Any = schema.get_all_operations()
    return [operation.ok() for operation in found]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("caller", ["anonymous", *(str(role) for role in Role)])
def test_every_response_conforms_to_the_openapi_document(
    platform: Platform, callers: dict[str, SignIn], caller: str, mode: GenerationMode
) -> None:
    statuses: Counter[int] = Counter()
    for operation in operations(platform):
        if mode is GenerationMode.POSITIVE or has_input(operation):
            fuzz(operation, mode, callers[caller], statuses)
    assert not any(status >= 500 for status in statuses), statuses
    assert statuses.total() > 100
    if caller == "anonymous":
        assert statuses[401] > statuses[200]


def fuzz(operation: Any, mode: GenerationMode, sign_in: SignIn, statuses: Counter[int]) -> None:
    """Send an operation valid or invalid input, and check the responses against the document."""
    headers = sign_in()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        ends = case.method != "GET" and case.operation.path.startswith(ENDS_SESSIONS)
        answer = case.call_and_validate(headers=sign_in() if ends else headers, checks=CHECKS)
        statuses[answer.status_code] += 1

    # An operation that accepts any text has no invalid input.
    with suppress(Unsatisfiable):
        send()


def has_input(operation: Any) -> bool:
    """Tell whether an operation has parameters or a body, so that it can get invalid input."""
    return any(operation.iter_parameters()) or bool(operation.body)


def test_every_route_documented_as_secured_requires_credentials(platform: Platform) -> None:
    document = httpx.get(f"{platform.url}/openapi.json", trust_env=False).json()
    guarded = 0
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if "security" not in operation:
                continue
            guarded += 1
            answer = httpx.request(
                method, f"{platform.url}{path.replace('{', '').replace('}', '')}", trust_env=False
            )
            assert answer.status_code == 401, (method, path)
            assert {"401", "403", "429", "503"} <= set(operation["responses"])
    assert guarded > 15
