"""Starts the gateway with the key that Dagster's webservers require.

    python -m gateway.start caddy run --config gateway/Caddyfile --adapter caddyfile

If the key is in a file, Caddy gets only the path of the file, and reads the file when it needs the key.
"""

import os
import sys

from pydantic import SecretStr, ValidationInfo, field_validator

from warehouse.config.secrecy import check_secret
from warehouse.config.setting_sources import SettingsRefused, secret_file
from warehouse.config.settings import SecretSettings, load, refuse_to_start, setting_name

_KEY = "REGISTRU_DAGSTER_KEY"


class GatewaySettings(SecretSettings):
    """The gateway's only setting: the key that Dagster's webservers require."""

    dagster_key: SecretStr

    @field_validator("dagster_key")
    @classmethod
    def _is_a_secret(cls, secret: SecretStr, info: ValidationInfo) -> SecretStr:
        check_secret(setting_name(info), secret.get_secret_value())
        return secret


def key_for_caddy() -> str:
    """Return the key for the Caddyfile. If the key is in a file, return a placeholder with the path of this file.

    Raises SettingsRefused if there is no usable key.
    """
    key = load(GatewaySettings).dagster_key.get_secret_value()
    file = secret_file("dagster_key")
    is_from_file = file is not None and file.read_text(encoding="utf-8").rstrip("\r\n") == key
    return f"{{file.{file}}}" if is_from_file else key


def main() -> None:
    """Check the key, then replace this process with the gateway."""
    if len(sys.argv) < 2:
        sys.exit("usage: python -m gateway.start COMMAND [ARGUMENT...]")
    try:
        os.environ[_KEY] = key_for_caddy()
    except SettingsRefused as reason:
        refuse_to_start(reason)
    try:
        os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - runs the given command
    except OSError as error:
        sys.exit(f"registru: {sys.argv[1]}: {error.strerror}")


if __name__ == "__main__":
    main()
