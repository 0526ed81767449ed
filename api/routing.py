"""Routes that declare their authorization, and that work with and without a trailing slash."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel, Field

from api.auth.dependencies import PUBLIC, SCHEMES, UNLIMITED, Need, security
from api.auth.roles import Role, Scope, roles_with


class FieldError(BaseModel):
    """An invalid field: its name, the reason, and the refused value (unless it may be secret)."""

    field: str
    reason: str
    value: str | None = None


class ProblemDetails(BaseModel):
    """An error as problem details (RFC 9457). `errors` lists invalid fields."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str | None = None
    errors: list[FieldError] = Field(default_factory=list)


def problems(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI documentation of error statuses, for a route's `responses`."""
    return {int(status): _PROBLEM | {"description": status.phrase} for status in statuses}


_PROBLEM: dict[str, Any] = {
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
}
_ANY_ROUTE = (
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_GUARDED_ROUTE = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class Router(APIRouter):
    """A router that requires every endpoint to declare its needs (`api.auth.dependencies.needs`).

    It adds the gate that enforces the declaration, and documents it. Every path also works with its trailing slash
    added or omitted. (A redirect instead would make clients send their bodies twice.)
    """

    def add_api_route(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Add a route for `path`, and an undocumented route for it with the trailing slash added or removed.

        Raises TypeError if the endpoint does not declare its needs.
        """
        need = getattr(endpoint, "needs", None)
        if need is None:
            raise TypeError(
                f"{endpoint.__qualname__} has no @needs(...); declare a scope, SIGNED_IN, PUBLIC or UNLIMITED"
            )
        options = _guarded(endpoint, need, options)
        super().add_api_route(path, endpoint, **options)
        other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
        if other or self.prefix:
            super().add_api_route(other, endpoint, **{**options, "include_in_schema": False})


def _guarded(endpoint: Any, need: Need, options: dict[str, Any]) -> dict[str, Any]:
    if need == UNLIMITED:
        statuses: tuple[HTTPStatus, ...] = ()
        guards: list[Any] = []
    else:
        statuses = _ANY_ROUTE if need == PUBLIC else (*_ANY_ROUTE, *_GUARDED_ROUTE)
        guards = [endpoint.gate()]
    described: dict[str, Any] = {"x-roles": allowed_roles(need)}
    if need not in (PUBLIC, UNLIMITED):
        described["security"] = security(need)
    return {
        **options,
        "dependencies": [*guards, *(options.get("dependencies") or [])],
        "responses": {**problems(*statuses), **(options.get("responses") or {})},
        "openapi_extra": {**(options.get("openapi_extra") or {}), **described},
    }


def allowed_roles(need: Need) -> list[str]:
    """Return the roles that may use a route, or `anyone`."""
    if need in (PUBLIC, UNLIMITED):
        return ["anyone"]
    return [str(role) for role in (roles_with(need) if isinstance(need, Scope) else Role)]


def document(app: FastAPI) -> None:
    """Describe the errors and the ways to authenticate in the OpenAPI document of `app`."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            components = original().setdefault("components", {})
            components["securitySchemes"] = jsonable_encoder(SCHEMES, by_alias=True, exclude_none=True)
            schemas = components.setdefault("schemas", {})
            described = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update({**described.pop("$defs"), "ProblemDetails": described})
            for replaced in ("HTTPValidationError", "ValidationError"):
                schemas.pop(replaced, None)
        return original()

    app.openapi = openapi  # type: ignore[method-assign]
