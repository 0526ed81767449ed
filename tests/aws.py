"""A local stand-in for AWS services, by moto. Nothing reaches the real ones.

moto and boto3 are imported where they are used, because each process that collects the tests would wait for them.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import httpx

from stack.ports import LOOPBACK

if TYPE_CHECKING:
    import boto3

REGION = "eu-central-1"


@dataclass
class Aws:
    """The server, and the environment by which processes reach it."""

    url: str

    @cached_property
    def _session(self) -> "boto3.Session":
        import boto3

        return boto3.Session("made-up", "made-up", region_name=REGION)

    @cached_property
    def _manager(self) -> Any:
        return self.client("secretsmanager")

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a process. Its credentials are made up, and boto3 looks for no real ones."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "made-up",
            "AWS_SECRET_ACCESS_KEY": "made-up",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str) -> Any:
        """Return a client of one AWS service."""
        return self._session.client(service, endpoint_url=self.url)

    def put(self, name: str, value: dict[str, Any] | str) -> None:
        """Create a secret, or store its next version."""
        text = value if isinstance(value, str) else json.dumps(value)
        manager = self._manager
        try:
            manager.put_secret_value(SecretId=name, SecretString=text)
        except manager.exceptions.ResourceNotFoundException:
            manager.create_secret(Name=name, SecretString=text)

    @contextmanager
    def with_permission_checks(self) -> Iterator[dict[str, str]]:
        """Check the permissions of every request. Yield the environment of a user without permissions."""
        iam = self.client("iam")
        iam.create_user(UserName="stranger")
        key = iam.create_access_key(UserName="stranger")["AccessKey"]
        self._check_requests_after(0)
        try:
            yield {
                **self.environment,
                "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            }
        finally:
            self._check_requests_after(1_000_000)
            iam.delete_access_key(UserName="stranger", AccessKeyId=key["AccessKeyId"])
            iam.delete_user(UserName="stranger")

    def _check_requests_after(self, count: int) -> None:
        httpx.post(f"{self.url}/moto-api/reset-auth", content=str(count), trust_env=False).raise_for_status()


@contextmanager
def running_aws() -> Iterator[Aws]:
    """Run the server until the block ends."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address=LOOPBACK, port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield Aws(f"http://{host}:{port}")
    finally:
        server.stop()
