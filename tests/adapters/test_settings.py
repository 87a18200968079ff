"""Settings: what the environment says, and one clear line when it is wrong."""

from __future__ import annotations

import secrets
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import ValidationError

from adapters.settings import Settings, SettingsInvalid, read_settings

KEY = secrets.token_hex(32)
CANARY = "s3cret-canary"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "DATABASE_URL",
        "MIGRATION_DATABASE_URL",
        "KAFKA_BOOTSTRAP",
        "HOME",
        "FINGERPRINT_KEY",
        "TAX_TABLE",
        "SELLER_NAME",
        "SELLER_ADDRESS",
        "OIDC_ISSUER",
        "OIDC_JWKS_URL",
        "OIDC_ALGORITHMS",
        "DEVELOPMENT",
    ):
        monkeypatch.delenv(f"SEATLEDGER_{name}", raising=False)


def test_nothing_set_means_the_embedded_servers_in_a_folder_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = read_settings()
    assert (settings.database_url, settings.migration_url, settings.kafka_bootstrap) == (None, None, None)
    assert settings.home == tmp_path / ".seatledger"
    assert settings.pool_size == 8


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATLEDGER_DATABASE_URL", "")
    assert read_settings().database_url is None


def test_migrations_use_the_application_connection_unless_they_have_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATLEDGER_DATABASE_URL", "postgresql://app@db/seatledger")
    assert read_settings().migration_url == read_settings().database_url
    monkeypatch.setenv("SEATLEDGER_MIGRATION_DATABASE_URL", "postgresql://owner@db/seatledger")
    migration = read_settings().migration_url
    assert migration is not None
    assert migration.get_secret_value() == "postgresql://owner@db/seatledger"


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://app@db/seatledger\n")
    monkeypatch.setenv("SEATLEDGER_DATABASE_URL_FILE", str(tmp_path / "url"))
    found = read_settings().database_url
    assert found is not None
    assert found.get_secret_value() == "postgresql://app@db/seatledger"


def test_a_secret_given_twice_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEATLEDGER_DATABASE_URL", "postgresql://app@db/seatledger")
    monkeypatch.setenv("SEATLEDGER_DATABASE_URL_FILE", str(tmp_path / "url"))
    with pytest.raises(SettingsInvalid, match="both set"):
        read_settings()


def test_a_secret_file_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEATLEDGER_FINGERPRINT_KEY_FILE", str(tmp_path / "missing"))
    with pytest.raises(SettingsInvalid, match="SEATLEDGER_FINGERPRINT_KEY_FILE cannot be read: No such file"):
        read_settings()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", f"{CANARY} is no url"),
        ("DATABASE_URL", f"postgresql://app:{CANARY}@db:notaport/x?what={CANARY}"),
        ("MIGRATION_DATABASE_URL", CANARY),
        ("FINGERPRINT_KEY", CANARY),
        ("FINGERPRINT_KEY", "ab" * 31),
        ("KAFKA_BOOTSTRAP", CANARY),
        ("KAFKA_BOOTSTRAP", f"kafka:9092, {CANARY}:1"),
        ("POOL_SIZE", CANARY),
        ("POOL_SIZE", "0"),
        ("LOG_LEVEL", CANARY),
        ("LOG_JSON", CANARY),
    ],
)
def test_a_bad_value_is_one_line_with_the_name_and_without_the_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(f"SEATLEDGER_{variable}", value)
    with pytest.raises(SettingsInvalid) as refused:
        read_settings()
    line = str(refused.value)
    assert line.startswith(f"SEATLEDGER_{variable} ")
    assert "\n" not in line
    assert CANARY not in line
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("value", ["kafka:9092", "a:1,b:2,c:65535", "[::1]:9092"])
def test_brokers_are_hosts_with_ports(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SEATLEDGER_KAFKA_BOOTSTRAP", value)
    assert read_settings().kafka_bootstrap == value


def test_secrets_do_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATLEDGER_DATABASE_URL", f"postgresql://app:{CANARY}@db/seatledger")
    monkeypatch.setenv("SEATLEDGER_FINGERPRINT_KEY", KEY)
    settings = read_settings()
    assert CANARY not in f"{settings!r} {settings} {settings.model_dump_json()}"
    assert KEY not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        read_settings().pool_size = 3  # type: ignore[misc]


def test_the_option_that_loses_events_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "y")
    with pytest.raises(SettingsInvalid, match=r"^POSTGRES_ENABLE_DB_FUNCTIONS must not be set: .*miss events"):
        read_settings()


def test_the_fingerprint_key_of_an_embedded_database_is_made_once_by_whoever_is_first(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    with ThreadPoolExecutor(16) as threads:
        keys = set(threads.map(lambda _: settings.fingerprint_secret(), range(64)))
    assert len(keys) == 1
    assert len(keys.pop()) == 32
    assert [path.name for path in settings.home.iterdir()] == ["fingerprint.key"]
    assert stat.S_IMODE((settings.home / "fingerprint.key").stat().st_mode) == 0o600


def test_a_database_of_ones_own_needs_a_fingerprint_key_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATLEDGER_DATABASE_URL", "postgresql://app@db/seatledger")
    with pytest.raises(SettingsInvalid, match=r"^SEATLEDGER_FINGERPRINT_KEY is not set; .*token_hex"):
        read_settings().fingerprint_secret()
    monkeypatch.setenv("SEATLEDGER_FINGERPRINT_KEY", KEY)
    assert read_settings().fingerprint_secret() == bytes.fromhex(KEY)


def test_the_seller_is_a_name_and_the_lines_of_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().seller == ("seatledger",)
    monkeypatch.setenv("SEATLEDGER_SELLER_NAME", "콘토소 GmbH")
    for address in ("Hauptstr. 1; 10115 Berlin;", "Hauptstr. 1\n10115 Berlin", "Hauptstr. 1\\n10115 Berlin"):
        monkeypatch.setenv("SEATLEDGER_SELLER_ADDRESS", address)
        assert read_settings().seller == ("콘토소 GmbH", "Hauptstr. 1", "10115 Berlin")


def test_a_seller_without_a_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATLEDGER_SELLER_NAME", "  ")
    with pytest.raises(SettingsInvalid, match="SEATLEDGER_SELLER_NAME must name the seller"):
        read_settings()


def test_a_tax_table_of_ones_own_is_found_from_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert read_settings().tax_table is None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEATLEDGER_TAX_TABLE", "taxes.csv")
    assert read_settings().tax_table == tmp_path / "taxes.csv"


def test_the_sealers_keys_come_a_line_each_and_never_show(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"{KEY}\n{'5a' * 32}\n")
    monkeypatch.setenv("SEATLEDGER_SEAL_KEY_FILE", str(tmp_path / "keys"))
    monkeypatch.setenv("SEATLEDGER_SEAL_FOLDER", "~/seal")
    settings = read_settings()
    assert settings.seal_key is not None
    assert settings.seal_key.get_secret_value().split() == [KEY, "5a" * 32]
    assert KEY not in repr(settings)
    assert settings.seal_folder == Path.home() / "seal"
    (tmp_path / "keys").write_text(f"{KEY}\n{CANARY}\n")
    with pytest.raises(SettingsInvalid, match="SEATLEDGER_SEAL_KEY must be 64 hexadecimal digits a line") as refused:
        read_settings()
    assert CANARY not in str(refused.value)
