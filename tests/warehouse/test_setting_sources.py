"""Settings are read from their sources in order of precedence, and invalid ones are refused with their source."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.settings import ApiSettings
from stack.ports import free_ports
from tests.aws import Aws, running_aws
from warehouse.config.reloadable import ReloadableSettings
from warehouse.config.setting_sources import SettingsRefused
from warehouse.config.settings import load

REQUIRED = {
    "REGISTRU_WAREHOUSE_URL": "postgresql+psycopg2://nowhere/none",
    "REGISTRU_USERS_URL": "postgresql+psycopg2://nowhere/none",
    "REGISTRU_REDIS_STATE_URL": "redis://nowhere/0",
    "REGISTRU_REDIS_CACHE_URL": "redis://nowhere/1",
    "REGISTRU_DAGSTER_URL": "http://nowhere",
    "REGISTRU_DAGSTER_KEY": "yT5vR8nB2mK7qW4xZ9cJ6hL3pD1fG0sA",
}
OF_AWS = "aWs1xW7vT4uY0pL5kJ9hG2fD6sA3mN8bV1c"
OF_FILE = "fIlE1xW7vT4uY0pL5kJ9hG2fD6sA3mN8bV1c"
OF_ENVIRONMENT = "eNv1xW7vT4uY0pL5kJ9hG2fD6sA3mN8bV1cq"
OF_DOTENV = "dOt1xW7vT4uY0pL5kJ9hG2fD6sA3mN8bV1cq"
PLACEHOLDER = "change-me-change-me-change-me-change-me"


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_aws() as running:
        yield running


class SettingPlace:
    """A working folder with its own sources of settings."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.secrets, self._monkeypatch = folder, folder / "secrets", monkeypatch
        self.secrets.mkdir()
        self.set(**REQUIRED)

    def set(self, **environment: str) -> None:
        for name, value in environment.items():
            self._monkeypatch.setenv(name, value)

    def file(self, name: str, text: str) -> Path:
        self.set(REGISTRU_SECRETS_DIR=str(self.secrets))
        path = self.secrets / name
        path.write_text(text)
        return path

    def dotenv(self, text: str) -> None:
        (self.folder / ".env").write_text(text)

    def aws(self, aws: Aws, value: dict[str, object] | str, name: str = "registru/api") -> None:
        aws.put(name, value)
        self.set(**aws.environment, REGISTRU_AWS_SECRET_ID=name)

    def secret(self) -> str:
        return load(ApiSettings).jwt_secret.get_secret_value()

    def refusal(self) -> str:
        with pytest.raises(SettingsRefused) as refused:
            load(ApiSettings)
        message = str(refused.value)
        assert "\n" not in message
        assert PLACEHOLDER not in message
        return message


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SettingPlace:
    monkeypatch.chdir(tmp_path)
    return SettingPlace(tmp_path, monkeypatch)


def test_aws_precedes_files_then_the_environment_then_dotenv(place: SettingPlace, aws: Aws) -> None:
    place.dotenv(f"REGISTRU_JWT_SECRET={OF_DOTENV}\n")
    assert place.secret() == OF_DOTENV
    place.set(REGISTRU_JWT_SECRET=OF_ENVIRONMENT)
    assert place.secret() == OF_ENVIRONMENT
    place.file("registru_jwt_secret", f"{OF_FILE}\n")
    assert place.secret() == OF_FILE
    place.aws(aws, {"REGISTRU_JWT_SECRET": OF_AWS})
    assert place.secret() == OF_AWS
    arguments = ApiSettings(jwt_secret=OF_DOTENV)
    assert arguments.jwt_secret.get_secret_value() == OF_DOTENV


def test_aws_secret_holds_settings_with_or_without_prefix_for_its_process_only(
    place: SettingPlace, aws: Aws
) -> None:
    retired = [{"secret": OF_FILE, "retired_at": "2026-01-01T00:00:00Z"}]
    content = {"jwt_secret": OF_AWS, "REGISTRU_JWT_RETIRED_SECRETS": retired, "access_minutes": 7}
    place.aws(aws, content)
    aws.put("registru/pipeline", {"fresh_hours": 3})
    settings = load(ApiSettings)
    assert settings.jwt_secret.get_secret_value() == OF_AWS
    assert settings.signing_keys()[1][0] == OF_FILE
    assert (settings.access_minutes, settings.fresh_hours) == (7, 24)


def test_dotenv_can_name_the_sources(place: SettingPlace) -> None:
    place.file("registru_jwt_secret", OF_FILE)
    place.dotenv(f"REGISTRU_SECRETS_DIR={place.secrets}\n")
    place._monkeypatch.delenv("REGISTRU_SECRETS_DIR")
    assert place.secret() == OF_FILE


def test_secret_files_mounted_by_kubernetes_are_read(place: SettingPlace) -> None:
    version = place.secrets / "..2026_11_25"
    version.mkdir()
    (version / "registru_jwt_secret").write_text(f"{OF_FILE}\r\n")
    (place.secrets / "..data").symlink_to(version.name)
    (place.secrets / "registru_jwt_secret").symlink_to("..data/registru_jwt_secret")
    place.set(REGISTRU_SECRETS_DIR=str(place.secrets))
    assert place.secret() == OF_FILE


@pytest.mark.parametrize("source", ["aws", "file", "environment", "dotenv"])
def test_placeholder_is_refused_from_every_source(place: SettingPlace, aws: Aws, source: str) -> None:
    if source == "aws":
        place.aws(aws, {"jwt_secret": PLACEHOLDER})
        named = "the AWS secret registru/api"
    elif source == "file":
        place.file("registru_jwt_secret", PLACEHOLDER)
        named = f"the files in {place.secrets}"
    elif source == "environment":
        place.set(REGISTRU_JWT_SECRET=PLACEHOLDER)
        named = "the environment"
    else:
        place.dotenv(f"REGISTRU_JWT_SECRET={PLACEHOLDER}\n")
        named = ".env"
    assert place.refusal() == f"REGISTRU_JWT_SECRET is a placeholder; generate a random value (from {named})"


def test_password_in_a_url_is_checked_and_not_shown(place: SettingPlace) -> None:
    place.file("registru_users_url", f"postgresql://api:{PLACEHOLDER}@nowhere/users")
    place.set(REGISTRU_JWT_SECRET=OF_ENVIRONMENT)
    assert "the password in REGISTRU_USERS_URL is a placeholder" in place.refusal()
    place.file("registru_users_url", "postgresql://api:a/slash-in-it@nowhere:5432/users")
    assert "slash" not in place.refusal()


def test_missing_setting_is_named_with_the_searched_sources(place: SettingPlace, aws: Aws) -> None:
    place.aws(aws, {"fresh_hours": 3})
    place.file("registru_unknown", "x")
    sources = f"the AWS secret registru/api, the files in {place.secrets}, the environment, .env"
    assert place.refusal() == f"missing: REGISTRU_JWT_SECRET (looked for in {sources})"


@pytest.mark.parametrize("text", [f'"{PLACEHOLDER}"', f"[1, 2, {PLACEHOLDER}"])
def test_aws_secret_that_is_not_a_json_object_is_refused(place: SettingPlace, aws: Aws, text: str) -> None:
    place.aws(aws, text)
    assert place.refusal() == "the AWS secret registru/api is not a JSON object of settings by name"


def test_setting_with_malformed_json_is_named(place: SettingPlace, aws: Aws) -> None:
    place.aws(aws, {"jwt_secret": OF_AWS, "jwt_retired_secrets": f"[{PLACEHOLDER}"})
    assert (
        place.refusal() == "REGISTRU_JWT_RETIRED_SECRETS is malformed JSON (from the AWS secret registru/api)"
    )


def test_missing_aws_secret_is_named(place: SettingPlace, aws: Aws) -> None:
    place.set(**aws.environment, REGISTRU_AWS_SECRET_ID="registru/nowhere")
    assert "the AWS secret registru/nowhere cannot be read" in (message := place.refusal())
    assert "ResourceNotFoundException" in message


def test_missing_aws_permission_is_named(place: SettingPlace, aws: Aws) -> None:
    place.set(REGISTRU_AWS_SECRET_ID="registru/api")
    with aws.with_permission_checks() as stranger:
        place.set(**stranger)
        message = place.refusal()
    assert "AccessDenied" in message
    assert "secretsmanager:GetSecretValue" in message


def test_unreachable_aws_is_an_error_within_seconds(place: SettingPlace, aws: Aws) -> None:
    [closed_port] = free_ports(1)
    place.set(**aws.environment, REGISTRU_AWS_SECRET_ID="registru/api")
    place.set(AWS_ENDPOINT_URL=f"http://127.0.0.1:{closed_port}")
    assert "Could not connect" in place.refusal()


def test_without_boto3_the_message_says_what_to_install(
    place: SettingPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    place.set(REGISTRU_AWS_SECRET_ID="registru/api")
    assert "pip install boto3" in place.refusal()


def test_unreadable_secret_file_is_refused_with_the_reason(place: SettingPlace) -> None:
    path = place.file("registru_jwt_secret", "")
    path.unlink()
    path.mkdir()
    assert f"{path} is a folder" in place.refusal()
    path.rmdir()
    path.write_bytes(b"\xff\xfe" * 20)
    assert f"{path} is not UTF-8 text" in place.refusal()
    path.unlink()
    place.set(REGISTRU_SECRETS_DIR=str(place.folder / "nowhere"))
    assert "REGISTRU_SECRETS_DIR: the folder" in place.refusal()


def test_reload_applies_valid_settings_and_keeps_the_old_ones_otherwise(
    place: SettingPlace, caplog: pytest.LogCaptureFixture
) -> None:
    file = place.file("registru_jwt_secret", OF_FILE)
    current = ReloadableSettings(load(ApiSettings), lambda: load(ApiSettings))
    before = current.settings
    assert not current.reload()
    assert current.settings is before

    file.write_text(PLACEHOLDER)
    assert not current.reload()
    assert current.settings is before
    assert "REGISTRU_JWT_SECRET is a placeholder" in caplog.text
    assert PLACEHOLDER not in caplog.text

    file.write_text(OF_AWS)
    assert not current.reload_after_refusal()  # the last reload was a moment ago
    assert current.reload()
    assert current.settings.jwt_secret.get_secret_value() == OF_AWS
