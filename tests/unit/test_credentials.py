"""What is hidden in texts that people or stores will see, and what is not."""

from __future__ import annotations

import re

import pytest

from holdfast.config import parse
from holdfast.credentials import hide_credentials, is_secret
from holdfast.errors import ConfigError
from holdfast.sources.settings import PostgresTable
from holdfast.tracking import TrackingSettings


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:pa55@db:5432/x", "postgresql://***@db:5432/x"),
        ("https://token@host/path?x=1", "https://***@host/path?x=1"),
        ("postgresql://me:pa/55@db/x", "postgresql://***@db/x"),
        ("postgresql://me:pa#55?@db/x", "postgresql://***@db/x"),
        ("postgresql://me:pa@55@db/x", "postgresql://***@db/x"),
        ("postgresql://me:[pa%55]@db:port/x", "postgresql://***@db:port/x"),
        ("found nothing at /data/s3:/key:pa55@bucket/x", "found nothing at /data/s3:/***@bucket/x"),
        ("host=db password=pa55 user=me", "host=db password=*** user=me"),
        ("host=db password=pa 55 user=me", "host=db password=*** user=me"),
        ("host=db password='pa \\' 55' user=me", "host=db password=*** user=me"),
        ("Server=db;Pwd={pa;55};Database=x", "Server=db;Pwd=***;Database=x"),
        ("PGPASSWORD=pa55", "PGPASSWORD=***"),
        ("https://host/?api_key=pa55&x=1", "https://host/?api_key=***&x=1"),
        ("https://host/?api-key=pa55&x=1", "https://host/?api-key=***&x=1"),
        ("https://host/?apikey=pa55&x=1", "https://host/?apikey=***&x=1"),
        ("https://host/?auth=pa55&x=1", "https://host/?auth=***&x=1"),
        ("https://host/?redirect=x%3Ftoken%3Dpa55", "https://host/?redirect=x%3Ftoken%3D***"),
        ("https://host/blob?sig=pa55&se=2030", "https://host/blob?sig=***&se=2030"),
        ("Authorization: Basic bWU6cGE1NQ==", "Authorization: ***"),
        ("X-Api-Key: pa55", "X-Api-Key: ***"),
        ("the server said: Bearer pa55.x.y is expired", "the server said: Bearer *** is expired"),
        ('{"user": "me", "password": "pa \\" 55", "x": 1}', '{"user": "me", "password": ***, "x": 1}'),
        ("{'Authorization': 'Bearer pa55', 'x': 1}", "{'Authorization': ***, 'x': 1}"),
        ("Quantity * UnitPrice", "Quantity * UnitPrice"),
        ("mail to someone@example.com", "mail to someone@example.com"),
        ("Basic authentication failed; the author asks for tokens", None),
        ("https://host/x?design=blue&keys=2", None),
    ],
)
def test_credentials_are_hidden_and_nothing_else(text: str, shown: str | None) -> None:
    """Everything that is logged or printed of addresses and servers passes through here."""
    assert hide_credentials(text) == (text if shown is None else shown)


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ('invalid integer value "pa" for connection option "port"', "postgresql://me:pa/55@db/x"),
        ('invalid percent-encoded token: "pa%55"', "postgresql://me:pa%55@db/x"),
        ('could not translate host name "55@db" to address', "postgresql://me:pa@55@db/x"),
        ('unexpected spaces found in "pa 55", use %20', "postgresql://db/x?password=pa 55"),
        ('missing "=" after "55" in connection info string', "host=db password=pa 55"),
        ("request to http://me:pa 55@db/x and http://me:pa%2055@db/x failed", "http://me:pa 55@db/x"),
        ('invalid integer value "pa55" for connection option "port"', "postgresql://me:pa55/x"),
        ("put me pa55@db-host", "databricks://me:pa55@db"),
        ('unsupported address "me:pa55@db"', "me:pa55@db"),
        ("pa55 is no token of mine", "MLFLOW_TRACKING_TOKEN=pa55"),
    ],
)
def test_pieces_of_a_known_password_are_hidden_too(said: str, address: str) -> None:
    """Drivers quote what they could not read: a sign that should have been encoded cuts a password in pieces."""
    shown = hide_credentials(said, address)
    assert "***" in shown
    assert re.search(r"\bpa|55", shown) is None, shown


def test_an_address_is_shown_without_what_its_blanks_hide() -> None:
    """In a text a blank ends an address; of an address itself the whole is known."""
    assert hide_credentials("http://me:pa 55@db/x", "http://me:pa 55@db/x") == "http://***@db/x"


@pytest.mark.parametrize(
    "name", ["spark.hadoop.fs.s3a.secret.key", "AWS_SECRET_ACCESS_KEY", "client_secret", "x-api-key", "auth", "passwd"]
)
def test_a_setting_tells_by_its_name_that_it_is_secret(name: str) -> None:
    """Its value may look like anything."""
    assert is_secret(name)


@pytest.mark.parametrize("name", ["seed", "author", "tokens_90d", "key_column", "outreach.budget.share"])
def test_other_settings_are_none(name: str) -> None:
    """A run that hid its own settings could not be repeated."""
    assert not is_secret(name)


def test_settings_that_hold_an_address_do_not_print_it() -> None:
    """A notebook prints what it evaluates, and a log keeps what an assertion compares."""
    uri = "postgresql://me:pa55@db/x"
    assert "pa55" not in repr(PostgresTable(uri=uri, table="orders"))
    assert "pa55" not in repr(TrackingSettings(uri=uri))
    with pytest.raises(ValueError, match="either 'table' or 'query'") as refused:
        PostgresTable(uri=uri)
    assert "pa55" not in str(refused.value)


@pytest.mark.parametrize("uri", ["postgresql://me:pa 55@db/x", "host=db password=pa 55", "me:pa 55@db"])
def test_an_address_in_the_wrong_place_of_a_configuration_is_not_quoted(uri: str) -> None:
    """The message shows what was found, but not this."""
    with pytest.raises(ConfigError, match=r"sources\.orders\.postgres: .*, found ") as refused:
        parse({"sources": {"orders": {"postgres": uri}}})
    assert "55" not in str(refused.value)
