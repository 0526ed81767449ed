"""Settings of Dagster's processes (prefix REGISTRU_): the URL of their database, and the webservers' key."""

from functools import cache, partial

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from warehouse.config.reloadable import ReloadableSettings
from warehouse.config.secrecy import check_secret, check_url_password
from warehouse.config.settings import SecretSettings, load, setting_name


class DagsterSettings(SecretSettings):
    """The settings of every process that opens the Dagster instance."""

    dagster_database_url: str = Field(description="PostgreSQL URL of Dagster's database, in Dagster's role")

    @field_validator("dagster_database_url")
    @classmethod
    def _has_no_placeholder_password(cls, url: str, info: ValidationInfo) -> str:
        check_url_password(setting_name(info), url)
        return url


class WebserverSettings(DagsterSettings):
    """The settings of the webservers."""

    dagster_key: SecretStr = Field(
        description="Key that the gateway and the API send with each request to Dagster, at least 32 characters"
    )
    dagster_former_key: SecretStr | None = Field(
        default=None,
        description="The previous key, still accepted while the gateway and the API change to the new one",
    )

    @field_validator("dagster_key", "dagster_former_key")
    @classmethod
    def _is_a_secret(cls, secret: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if secret is not None:
            check_secret(setting_name(info), secret.get_secret_value())
        return secret

    def accepted_keys(self) -> list[str]:
        """Return the keys that the webservers accept."""
        keys = (self.dagster_key, self.dagster_former_key)
        return [key.get_secret_value() for key in keys if key is not None]


@cache
def dagster_settings() -> ReloadableSettings[DagsterSettings]:
    """Return the settings of this process. Raises SettingsRefused."""
    return ReloadableSettings(load(DagsterSettings), partial(load, DagsterSettings))
