"""What an operator may set: read from the environment once, checked at start, never changed afterwards."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import Any, Literal, Self

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from adapters.settings_http import HttpSettings
from adapters.settings_workers import WorkerSettings

PREFIX = "SEATLEDGER_"
_SECRETS = (
    *("database_url", "migration_database_url", "fingerprint_key", "stripe_api_key"),
    *("seal_database_url", "seal_key"),
)
_FINGERPRINT_KEY_BYTES = 32
_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s,:/\[\]]+):[0-9]{1,5}")
_KEY = re.compile(r"[0-9A-Fa-f]{64}")
_LINE_BREAK = re.compile(r"\n|\\n|;")  # environment files have no line breaks of their own
_HOW_TO_MAKE_A_KEY = "python3 -c 'import secrets; print(secrets.token_hex(32))'"


class SettingsInvalid(Exception):
    """The environment sets something that cannot be used; one line with the variable's name, never its value."""


class Settings(HttpSettings, WorkerSettings):
    """The settings of one process; each is the environment variable of its name with the prefix `SEATLEDGER_`.

    A secret may also come from a file, as container platforms hand them out: `SEATLEDGER_DATABASE_URL_FILE=/run/…`.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    database_url: SecretStr | None = None
    """The application's connection to PostgreSQL; unset: the embedded server."""
    migration_database_url: SecretStr | None = None
    """The connection of the role that owns the tables; unset: `database_url`."""
    seal_database_url: SecretStr | None = None
    """The connection of the sealer, whose login alone may write the tree; unset: `database_url`."""
    seal_key: SecretStr | None = None
    """The sealer's keys, 64 hexadecimal digits a line, the newest first; unset: the file `key` in its folder."""
    seal_folder: Path | None = None
    """What the sealer keeps outside the database; unset: `seal` in `home`."""
    kafka_bootstrap: str | None = None
    """host:port, or several with commas; unset: the embedded broker."""
    home: Path = Path(".seatledger")
    """Where the embedded servers and generated files live."""
    fingerprint_key: SecretStr | None = None
    """At least 64 hexadecimal digits, the same for all processes and for ever: keys the fingerprints of commands."""
    stripe_api_key: SecretStr | None = None
    """The secret key of a Stripe account; unset: the sandbox, a provider of our own that moves no money."""
    pool_size: int = Field(default=8, ge=1, le=1000)
    """Connections to PostgreSQL that one process may have open."""
    tax_table: Path | None = None
    """A CSV file of tax rates with the columns of `adapters/tax/standard_rates.csv`; unset: that one."""
    seller_name: str = Field(default="seatledger", max_length=200)
    """Who sells: the first line of the seller's block on invoices."""
    seller_address: str = Field(default="", max_length=1000)
    """The lines below it, with a line break, `\\n` or `;` between: address, register, tax number."""
    erasure_list: Path | None = None
    """The list of erasures, which a restored backup is brought to: on a disk that no backup of the database takes back,
    the same for all processes; unset: `erasures.jsonl` in `home`."""
    invoice_keep_years: int = Field(default=10, ge=0, le=100)
    """How many years after the year of issue the names on an invoice are kept, whoever asks to be forgotten."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_json: bool = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # a file that happens to lie there sets nothing
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # one folder for all; ours are one file each
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _SecretFiles(settings_cls)

    @field_validator("database_url", "migration_database_url", "seal_database_url")
    @classmethod
    def _is_a_connection(cls, value: SecretStr | None) -> SecretStr | None:
        try:
            conninfo_to_dict(value.get_secret_value() if value else "")
        except ProgrammingError:
            # Without the cause: libpq repeats the part that it does not understand, which may be the password.
            raise ValueError("must look like postgresql://user:password@host:5432/database") from None
        return value

    @field_validator("kafka_bootstrap")
    @classmethod
    def _is_a_list_of_brokers(cls, value: str | None) -> str | None:
        if value is not None and not all(_HOST_AND_PORT.fullmatch(broker) for broker in value.split(",")):
            raise ValueError("must be host:port, or several with commas between")
        return value

    @field_validator("home", "tax_table", "seal_folder", "erasure_list")
    @classmethod
    def _stays_where_it_is(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value else None

    @field_validator("seller_name")
    @classmethod
    def _says_who_sells(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("must name the seller")
        return value.strip()

    @field_validator("fingerprint_key")
    @classmethod
    def _is_long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                key = bytes.fromhex(value.get_secret_value())
            except ValueError:
                key = b""
            if len(key) < _FINGERPRINT_KEY_BYTES:
                raise ValueError(f"must be at least 64 hexadecimal digits; make one with: {_HOW_TO_MAKE_A_KEY}")
        return value

    @field_validator("seal_key")
    @classmethod
    def _is_a_list_of_keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not all(_KEY.fullmatch(line) for line in value.get_secret_value().split()):
            raise ValueError("must be 64 hexadecimal digits a line")
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _in_any_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _appends_in_order(self) -> Self:
        if os.environ.get("POSTGRES_ENABLE_DB_FUNCTIONS"):
            raise ValueError("POSTGRES_ENABLE_DB_FUNCTIONS must not be set: with it followers miss events")
        return self

    @property
    def migration_url(self) -> SecretStr | None:
        """The connection for migrations; None: the embedded server."""
        return self.migration_database_url or self.database_url

    @property
    def in_development(self) -> bool:
        """Whether tokens of `seatledger dev-token` are accepted."""
        if self.development is None:
            return self.database_url is None and self.oidc_issuer is None
        return self.development

    @property
    def erasures(self) -> Path:
        """Where the list of erasures is."""
        return self.erasure_list or self.home / "erasures.jsonl"

    @property
    def seller(self) -> tuple[str, ...]:
        """The seller's block on invoices, a line each."""
        lines = (part.strip() for part in _LINE_BREAK.split(self.seller_address))
        return self.seller_name, *(part for part in lines if part)

    def fingerprint_secret(self) -> bytes:
        """Gives the key of command fingerprints; beside an embedded database it is made once and kept in `home`."""
        if self.fingerprint_key is not None:
            return bytes.fromhex(self.fingerprint_key.get_secret_value())
        if self.database_url is not None:
            raise SettingsInvalid(
                f"{PREFIX}FINGERPRINT_KEY is not set; with a database of your own every process needs the same one,"
                f" for ever; make it with: {_HOW_TO_MAKE_A_KEY}"
            )
        return bytes.fromhex(kept_secret(self.home / "fingerprint.key"))


def read_settings() -> Settings:
    """Reads the environment; raises SettingsInvalid with one line that names every bad variable."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = []
        for detail in error.errors(include_url=False, include_context=False, include_input=False):
            variable = f"{PREFIX}{str(detail['loc'][0]).upper()} " if detail["loc"] else ""
            wrong.append(variable + detail["msg"].removeprefix("Value error, "))
        raise SettingsInvalid("; ".join(wrong)) from None


class _SecretFiles(PydanticBaseSettingsSource):
    """Secrets from the files that `SEATLEDGER_<SECRET>_FILE` names."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        variable = f"{PREFIX}{field_name.upper()}"
        path = os.environ.get(f"{variable}_FILE")
        if not path:
            return None, field_name, False
        if os.environ.get(variable):
            raise SettingsInvalid(f"{variable} and {variable}_FILE are both set; keep one")
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not text"
            raise SettingsInvalid(f"{variable}_FILE cannot be read: {why}") from None

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields
        found = {name: self.get_field_value(fields[name], name)[0] for name in _SECRETS}
        return {name: value for name, value in found.items() if value}


def kept_secret(path: Path) -> str:
    """Reads a secret of 32 bytes in hexadecimal digits; makes it at the first time, also when several do so at once."""
    if not path.exists():
        path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        mine = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(_FINGERPRINT_KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(mine)  # complete at once, and refused when another was faster
        except FileExistsError:
            pass
        finally:
            mine.unlink()
    return path.read_text(encoding="utf-8")
