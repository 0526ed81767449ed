"""The smallest comparable endpoint: it verifies the token, reads one key from Redis and returns its value.

Unlike the API, it has no rate limits, does not check whether the session was revoked or the account disabled, and
checks neither the IDNO nor the age of the record.
"""

import os
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Response
from fastapi.security import OAuth2PasswordBearer
from jose import JWTError, jwt
from pydantic import BaseModel
from redis.asyncio import Redis

bearer = OAuth2PasswordBearer(tokenUrl="token")


class SmallestRequest(BaseModel):
    """A request for a company."""

    idno: str


def plain_key(idno: str) -> str:
    """Return the Redis key of a company's record; its value is the complete body of the response."""
    return f"plain:{idno}"


def create_app() -> FastAPI:
    """Build the application. It takes the URL of Redis and the key of the tokens from the environment."""
    redis, secret = Redis.from_url(os.environ["BENCHMARK_REDIS_URL"]), os.environ["BENCHMARK_SECRET"]
    app = FastAPI()

    @app.post("/scrape/")
    async def scrape(request: SmallestRequest, token: Annotated[str, Depends(bearer)]) -> Response:
        try:
            jwt.decode(token, secret, algorithms=["HS256"])
        except JWTError:
            raise HTTPException(401) from None
        record = await redis.get(plain_key(request.idno))
        return Response(record, media_type="application/json")

    return app
