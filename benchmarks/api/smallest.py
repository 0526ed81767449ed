"""The smallest endpoint that does the same: it verifies the token, gets one key from Redis, and answers with that.

No limits, no sessions that can be ended, no accounts that can be disabled, no check of the IDNO or the record's age.
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
    """Redis key of a company's record, as it is answered."""
    return f"plain:{idno}"


def create_app() -> FastAPI:
    """Build the application; where Redis is and what tokens are signed with comes by the environment."""
    redis, secret = Redis.from_url(os.environ["BENCHMARK_REDIS_URL"]), os.environ["BENCHMARK_SECRET"]
    app = FastAPI()

    @app.post("/scrape/")
    async def scrape(asked: SmallestRequest, token: Annotated[str, Depends(bearer)]) -> Response:
        try:
            jwt.decode(token, secret, algorithms=["HS256"])
        except JWTError:
            raise HTTPException(401) from None
        record = await redis.get(plain_key(asked.idno))
        return Response(record, media_type="application/json")

    return app
