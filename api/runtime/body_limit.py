"""A limit on the size of request bodies."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import TooLarge, problem


class BodyLimit:
    """Middleware that answers 413 to a body larger than `most_bytes`, whether its length is declared or not."""

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self._app, self._most_bytes = app, most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        if _declared_length(scope) > self._most_bytes:
            return await problem(TooLarge.status, self._detail)(scope, receive, send)
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._most_bytes:
                raise TooLarge(self._detail)
            return message

        return await self._app(scope, receive_limited, send)

    @property
    def _detail(self) -> str:
        return f"the request body is too large; at most {self._most_bytes} bytes are allowed"


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0
