"""Where settings come from: AWS Secrets Manager, then files, then the environment, then `.env`. The first one wins."""

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
"""Where Docker and Kubernetes put a container's secrets."""
_AWS_SECONDS = 5
_AWS_TRIES = 3


class SettingsRefused(Exception):
    """Settings that cannot be used. One line: which setting, from which source, what is wrong; never a value."""


class _Places(BaseSettings):
    """Which sources there are, beside the environment and `.env`, which name them."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    aws_secret_id: str | None = None
    secrets_dir: Path | None = None

    @field_validator("secrets_dir", mode="before")
    @classmethod
    def _none_if_empty(cls, folder: object) -> object:
        return folder or None


class AwsSecret(AWSSecretsManagerSettingsSource):
    """One secret of AWS Secrets Manager: a JSON object of settings by name, with or without the prefix."""

    def __init__(self, settings_cls: type[BaseSettings], secret_id: str) -> None:
        self._name = f"the AWS secret {secret_id}"
        try:
            _wait_no_longer_than_is_useful()
        except ImportError:
            raise SettingsRefused(
                f"{PREFIX}AWS_SECRET_ID is set, but boto3 is not installed: pip install 'registru[aws]'"
            ) from None
        from botocore.exceptions import BotoCoreError, ClientError

        region = os.environ.get("AWS_REGION")  # what ECS sets; boto3 itself looks at AWS_DEFAULT_REGION only
        try:
            super().__init__(settings_cls, secret_id, region_name=region, case_sensitive=False, env_prefix="")
        except (BotoCoreError, ClientError) as error:
            raise SettingsRefused(f"{self._name} cannot be read: {_one_line(error)}") from None
        finally:
            if client := getattr(self, "_secretsmanager_client", None):
                client.close()  # a process that forks must not leave its connection to its children

    def __repr__(self) -> str:
        return self._name

    def _load_env_vars(self) -> Mapping[str, str | None]:
        answer = self._secretsmanager_client.get_secret_value(SecretId=self._secret_id)
        try:
            held = json.loads(answer["SecretString"])
        except (KeyError, ValueError):
            held = None
        if not isinstance(held, dict):
            raise SettingsRefused(f"{self._name} is no JSON object of settings by name")
        named = {name.lower().removeprefix(PREFIX.lower()): value for name, value in held.items()}
        if len(named) != len(held):
            raise SettingsRefused(f"{self._name} names a setting twice, with and without {PREFIX}")
        return {name: value if isinstance(value, str) else json.dumps(value) for name, value in named.items()}


def _wait_no_longer_than_is_useful() -> None:
    """Have boto3 give up after seconds; by itself it waits for minutes. Raises ImportError."""
    import boto3
    import botocore.session
    from botocore.config import Config

    session = botocore.session.get_session()
    retries = {"mode": "standard", "total_max_attempts": _AWS_TRIES}
    config = Config(connect_timeout=_AWS_SECONDS, read_timeout=_AWS_SECONDS, retries=retries)
    session.set_default_client_config(config)
    boto3.setup_default_session(botocore_session=session)


class SecretFiles(EnvSettingsSource):
    """A file a setting, named like it in the environment, in lower case: `registru_jwt_secret`."""

    def __init__(self, settings_cls: type[BaseSettings], folder: Path) -> None:
        self._folder = folder
        super().__init__(settings_cls, case_sensitive=False)

    def __repr__(self) -> str:
        return f"the files in {self._folder}"

    def _load_env_vars(self) -> Mapping[str, str | None]:
        names = [f"{PREFIX}{field}".lower() for field in self.settings_cls.model_fields]
        found = {name: _text(self._folder / name) for name in names}
        return {name: text for name, text in found.items() if text is not None}


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except FileNotFoundError:
        return None
    except IsADirectoryError:
        # Docker makes one where the file that it should mount is missing.
        raise SettingsRefused(
            f"{path} is a folder, no file: was it mounted from a file that exists?"
        ) from None
    except UnicodeDecodeError:
        raise SettingsRefused(f"{path} is no text in UTF-8") from None
    except OSError as error:
        raise SettingsRefused(f"{path} cannot be read: {error.strerror}") from None


def sources_of(
    settings_cls: type[BaseSettings],
    init: PydanticBaseSettingsSource,
    environment: PydanticBaseSettingsSource,
    dotenv: PydanticBaseSettingsSource,
) -> tuple[PydanticBaseSettingsSource, ...]:
    """Return the sources of settings in their order; arguments come before all. Raises SettingsRefused."""
    places = _Places(_env_file=dotenv.env_file if isinstance(dotenv, DotEnvSettingsSource) else None)
    sources = [init]
    if places.aws_secret_id:
        sources.append(AwsSecret(settings_cls, places.aws_secret_id))
    if (folder := _folder(places)) is not None:
        sources.append(SecretFiles(settings_cls, folder))
    sources += [environment, dotenv]
    if (findings := FINDINGS.get()) is not None:
        findings.name(sources)
    return (*sources, _Witness(settings_cls))


def secret_file(field: str) -> Path | None:
    """Return the file of a setting, if there is one. Raises SettingsRefused."""
    folder = _folder(_Places(_env_file=".env"))
    file = None if folder is None else folder.absolute() / f"{PREFIX}{field}".lower()
    return file if file is not None and file.is_file() else None


def _folder(places: _Places) -> Path | None:
    folder = places.secrets_dir
    if folder is None:
        return DEFAULT_SECRETS_DIR if os.access(DEFAULT_SECRETS_DIR, os.X_OK) else None
    if not folder.is_dir():
        raise SettingsRefused(f"{PREFIX}SECRETS_DIR: there is no folder {folder}")
    return folder


class Findings:
    """What was found where, for the message about what is wrong with it."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._origins: dict[str, str] = {}

    def name(self, sources: Iterable[PydanticBaseSettingsSource]) -> None:
        """Note where settings will be looked for."""
        names = {"EnvSettingsSource": "the environment", "DotEnvSettingsSource": ".env"}
        kinds = ((type(source).__name__, source) for source in sources)
        self._names = {kind: names.get(kind) or repr(source) for kind, source in kinds}

    def note(self, states: Mapping[str, Mapping[str, Any]]) -> None:
        """Note which source each setting was taken from."""
        for kind, name in self._names.items():
            for field in states.get(kind, ()):
                self._origins.setdefault(field, name)

    def told(self, error: ValidationError) -> str:
        """Say in one line what is wrong."""
        missing, wrong = [], []
        for each in error.errors(include_input=False, include_context=False, include_url=False):
            field, *inside = (str(part) for part in each["loc"] or ("",))
            name = f"{PREFIX}{field.upper()}" if field else ""
            if each["type"] == "missing" and not inside:
                missing.append(name)
                continue
            said = each["msg"].removeprefix("Value error, ")
            said = said if not name or name in said else f"{'.'.join((name, *inside))}: {said}"
            wrong.append(f"{said} (from {self._origins[field]})" if field in self._origins else said)
        if missing:
            looked = [name for kind, name in self._names.items() if kind != "InitSettingsSource"]
            wrong.append(f"missing: {', '.join(missing)} (looked for in {', '.join(looked)})")
        return "; ".join(wrong)

    def told_no_json(self, error: SettingsError) -> str:
        """Say in one line which setting should be JSON and is none."""
        found = re.search(r'field "(\w+)" from source "(\w+)"', str(error))
        if found is None:
            return _one_line(error)
        return f"{PREFIX}{found[1].upper()} is no JSON (from {self._names.get(found[2], found[2])})"


FINDINGS: ContextVar[Findings | None] = ContextVar("FINDINGS", default=None)
"""Where the sources note what they found, while settings are loaded."""


class _Witness(PydanticBaseSettingsSource):
    """Comes last, gives nothing, and sees which source gave what."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Give nothing."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Note what the others gave."""
        if (findings := FINDINGS.get()) is not None:
            findings.note(self.settings_sources_data)
        return {}


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
