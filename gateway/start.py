"""Starts the gateway, telling it the key that Dagster's webservers want to be shown.

    python -m gateway.start caddy run --config gateway/Caddyfile --adapter caddyfile

A key that comes from a file is not handed over: Caddy is told where the file is, and reads it when it needs it.
"""

import os
import sys

from pydantic import SecretStr, ValidationInfo, field_validator

from warehouse.config.secrecy import check_secret
from warehouse.config.setting_sources import SettingsRefused, secret_file
from warehouse.config.settings import SecretSettings, load, refuse_to_start, setting_name

_KEY = "REGISTRU_DAGSTER_KEY"


class GatewaySettings(SecretSettings):
    """What the gateway needs to know that nobody else may."""

    dagster_key: SecretStr

    @field_validator("dagster_key")
    @classmethod
    def _is_a_secret(cls, secret: SecretStr, info: ValidationInfo) -> SecretStr:
        check_secret(setting_name(info), secret.get_secret_value())
        return secret


def key_for_caddy() -> str:
    """Return what stands in the Caddyfile for the key: a placeholder for its file, or itself.

    Raises SettingsRefused.
    """
    key = load(GatewaySettings).dagster_key.get_secret_value()
    file = secret_file("dagster_key")
    is_told = file is not None and file.read_text(encoding="utf-8").rstrip("\r\n") == key
    return f"{{file.{file}}}" if is_told else key


def main() -> None:
    """Check the key, then become the gateway."""
    if len(sys.argv) < 2:
        sys.exit("usage: python -m gateway.start COMMAND [ARGUMENT...]")
    try:
        os.environ[_KEY] = key_for_caddy()
    except SettingsRefused as reason:
        refuse_to_start(reason)
    try:
        os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - the command that was asked for
    except OSError as error:
        sys.exit(f"registru: {sys.argv[1]}: {error.strerror}")


if __name__ == "__main__":
    main()
