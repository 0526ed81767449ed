"""The sources of settings: AWS Secrets Manager, files, the environment, `.env`. The first that has a setting wins."""

import json
import os
import re
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from pydantic import ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    AWSSecretsManagerSettingsSource,
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

PREFIX = "REGISTRU_"
DEFAULT_SECRETS_DIR = Path("/run/secrets")
"""The folder in which Docker and Kubernetes mount a container's secrets."""
_AWS_TIMEOUT_SECONDS = 5
_AWS_ATTEMPTS = 3


class SettingsRefused(Exception):
    """The settings are invalid. The message is one line: setting, source and problem, but never the setting's value."""


class _SourceLocations(BaseSettings):
    """The locations of the AWS secret and of the folder of secrets. They are read from the environment or `.env`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    aws_secret_id: str | None = None
    secrets_dir: Path | None = None

    @field_validator("secrets_dir", mode="before")
    @classmethod
    def _none_if_empty(cls, folder: object) -> object:
        return folder or None


class AwsSecret(AWSSecretsManagerSettingsSource):
    """A secret in AWS Secrets Manager: a JSON object of settings by name, with or without the prefix REGISTRU_."""

    def __init__(self, settings_cls: type[BaseSettings], secret_id: str) -> None:
        self._name = f"the AWS secret {secret_id}"
        try:
            _limit_boto3_waits()
        except ImportError:
            raise SettingsRefused(
                f"{PREFIX}AWS_SECRET_ID is set, but boto3 is not installed; run `pip install boto3`"
            ) from None
        from botocore.exceptions import BotoCoreError, ClientError

        region = os.environ.get("AWS_REGION")  # set by ECS; boto3 itself reads only AWS_DEFAULT_REGION
        try:
            super().__init__(settings_cls, secret_id, region_name=region, case_sensitive=False, env_prefix="")
        except (BotoCoreError, ClientError) as error:
            raise SettingsRefused(f"{self._name} cannot be read: {_one_line(error)}") from None
        finally:
            if client := getattr(self, "_secretsmanager_client", None):
                client.close()  # so that child processes do not inherit the connection

    def __repr__(self) -> str:
        return self._name

    def _load_env_vars(self) -> Mapping[str, str | None]:
        answer = self._secretsmanager_client.get_secret_value(SecretId=self._secret_id)
        try:
            content = json.loads(answer["SecretString"])
        except (KeyError, ValueError):
            content = None
        if not isinstance(content, dict):
            raise SettingsRefused(f"{self._name} is not a JSON object of settings by name")
        values = {name.lower().removeprefix(PREFIX.lower()): value for name, value in content.items()}
        if len(values) != len(content):
            raise SettingsRefused(f"{self._name} names a setting twice, with and without {PREFIX}")
        return {
            name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()
        }


def _limit_boto3_waits() -> None:
    """Make boto3 give up after seconds instead of minutes. Raises ImportError if boto3 is not installed."""
    import boto3
    import botocore.session
    from botocore.config import Config

    session = botocore.session.get_session()
    retries = {"mode": "standard", "total_max_attempts": _AWS_ATTEMPTS}
    config = Config(connect_timeout=_AWS_TIMEOUT_SECONDS, read_timeout=_AWS_TIMEOUT_SECONDS, retries=retries)
    session.set_default_client_config(config)
    boto3.setup_default_session(botocore_session=session)


class SecretFiles(EnvSettingsSource):
    """A folder with one file for each setting, named like its variable in lower case: `registru_jwt_secret`."""

    def __init__(self, settings_cls: type[BaseSettings], folder: Path) -> None:
        self._folder = folder
        super().__init__(settings_cls, case_sensitive=False)

    def __repr__(self) -> str:
        return f"the files in {self._folder}"

    def _load_env_vars(self) -> Mapping[str, str | None]:
        names = [f"{PREFIX}{field}".lower() for field in self.settings_cls.model_fields]
        texts = {name: _read_text(self._folder / name) for name in names}
        return {name: text for name, text in texts.items() if text is not None}


def _read_text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except FileNotFoundError:
        return None
    except IsADirectoryError:
        # Docker creates a folder if the file that it should mount is missing.
        raise SettingsRefused(
            f"{path} is a folder instead of a file; check that the file to mount exists"
        ) from None
    except UnicodeDecodeError:
        raise SettingsRefused(f"{path} is not UTF-8 text") from None
    except OSError as error:
        raise SettingsRefused(f"{path} cannot be read: {error.strerror}") from None


def sources_of(
    settings_cls: type[BaseSettings],
    init: PydanticBaseSettingsSource,
    environment: PydanticBaseSettingsSource,
    dotenv: PydanticBaseSettingsSource,
) -> tuple[PydanticBaseSettingsSource, ...]:
    """Return the sources in order of precedence; keyword arguments come first. Raises SettingsRefused."""
    locations = _SourceLocations(
        _env_file=dotenv.env_file if isinstance(dotenv, DotEnvSettingsSource) else None
    )
    sources = [init]
    if locations.aws_secret_id:
        sources.append(AwsSecret(settings_cls, locations.aws_secret_id))
    if (folder := _folder(locations)) is not None:
        sources.append(SecretFiles(settings_cls, folder))
    sources += [environment, dotenv]
    if (origins := CURRENT_ORIGINS.get()) is not None:
        origins.set_sources(sources)
    return (*sources, _OriginRecorder(settings_cls))


def secret_file(field: str) -> Path | None:
    """Return the path of the file that holds the secret `field`, or None if there is no such file.

    Raises SettingsRefused if the configured folder of secrets does not exist.
    """
    folder = _folder(_SourceLocations(_env_file=".env"))
    file = None if folder is None else folder.absolute() / f"{PREFIX}{field}".lower()
    return file if file is not None and file.is_file() else None


def _folder(locations: _SourceLocations) -> Path | None:
    folder = locations.secrets_dir
    if folder is None:
        return DEFAULT_SECRETS_DIR if os.access(DEFAULT_SECRETS_DIR, os.X_OK) else None
    if not folder.is_dir():
        raise SettingsRefused(f"{PREFIX}SECRETS_DIR: the folder {folder} does not exist")
    return folder


class SettingOrigins:
    """The source of each setting, for error messages."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._origins: dict[str, str] = {}

    def set_sources(self, sources: Iterable[PydanticBaseSettingsSource]) -> None:
        """Store the names of the sources."""
        names = {"EnvSettingsSource": "the environment", "DotEnvSettingsSource": ".env"}
        kinds = ((type(source).__name__, source) for source in sources)
        self._names = {kind: names.get(kind) or repr(source) for kind, source in kinds}

    def record(self, states: Mapping[str, Mapping[str, Any]]) -> None:
        """Store the source of each setting: the first one that has it."""
        for kind, name in self._names.items():
            for field in states.get(kind, ()):
                self._origins.setdefault(field, name)

    def describe(self, error: ValidationError) -> str:
        """Return one line that describes a validation error."""
        missing, problems = [], []
        for detail in error.errors(include_input=False, include_context=False, include_url=False):
            field, *inside = (str(part) for part in detail["loc"] or ("",))
            name = f"{PREFIX}{field.upper()}" if field else ""
            if detail["type"] == "missing" and not inside:
                missing.append(name)
                continue
            problem = detail["msg"].removeprefix("Value error, ")
            problem = problem if not name or name in problem else f"{'.'.join((name, *inside))}: {problem}"
            problems.append(f"{problem} (from {self._origins[field]})" if field in self._origins else problem)
        if missing:
            searched = [name for kind, name in self._names.items() if kind != "InitSettingsSource"]
            problems.append(f"missing: {', '.join(missing)} (looked for in {', '.join(searched)})")
        return "; ".join(problems)

    def describe_malformed_json(self, error: SettingsError) -> str:
        """Return one line that names the setting whose JSON is malformed."""
        match = re.search(r'field "(\w+)" from source "(\w+)"', str(error))
        if match is None:
            return _one_line(error)
        return f"{PREFIX}{match[1].upper()} is malformed JSON (from {self._names.get(match[2], match[2])})"


CURRENT_ORIGINS: ContextVar[SettingOrigins | None] = ContextVar("CURRENT_ORIGINS", default=None)
"""The origins of the settings that are being loaded."""


class _OriginRecorder(PydanticBaseSettingsSource):
    """A source after all others. It supplies no value, but records which of the others supplied each setting."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return no value."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Record the origins of the settings. Return no values."""
        if (origins := CURRENT_ORIGINS.get()) is not None:
            origins.record(self.settings_sources_data)
        return {}


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
