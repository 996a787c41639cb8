"""What the YAML file says of one source: where its table lies, and how its columns map to ours."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from holdfast.settings import Settings

_PLACES = ("path", "duckdb", "postgres", "frame", "table")


class DuckDBTable(Settings):
    """A table or view inside a DuckDB database file, opened for reading only."""

    file: str = Field(description="Path of the DuckDB file, relative to the configuration; ${VARIABLE} expands.")
    table: str = Field(description="Name of the table or view, with its schema if it is not in 'main'.")


class PostgresTable(Settings):
    """A table or a query of a PostgreSQL server, read in one read-only transaction."""

    uri: str = Field(repr=False, description="Connection URI, usually ${DATABASE_URL}; it is never printed.")
    table: str | None = Field(default=None, description="Name of the table, with its schema if needed.")
    query: str | None = Field(default=None, description="One SELECT whose result is the table.")

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("give either 'table' or 'query', not both and not neither")
        return self


class CsvSettings(Settings):
    """How to read CSV files when the detection of DuckDB needs help; what is not given is detected."""

    delimiter: str | None = Field(default=None, description="Character between the cells.")
    quote: str | None = Field(default=None, description="Character around a cell that contains the delimiter.")
    header: bool | None = Field(default=None, description="Whether the first line names the columns.")
    encoding: str | None = Field(
        default=None, description="utf-8, cp1252, latin-1, utf-16 or another encoding that Python can decode."
    )
    decimal: str | None = Field(default=None, description="Decimal separator of numbers, '.' or ','.")
    date_format: str | None = Field(default=None, description="Format of dates, for example %d/%m/%Y.")
    time_format: str | None = Field(default=None, description="Format of times, for example %d/%m/%Y %H:%M.")
    missing: str | None = Field(default=None, description="Text that stands for a missing cell, for example NA.")


class AttributeSettings(Settings):
    """One attribute of a customer, such as country or channel, taken from the source 'customers'."""

    column: str = Field(description="Column of the table that holds the attribute.")
    static: bool = Field(
        default=False, description="True if the value never changes and was known before the customer's first event."
    )
    known_time: str | None = Field(
        default=None, description="Column that says when the value became known; needed unless the value is static."
    )

    @model_validator(mode="after")
    def _static_or_timed(self) -> Self:
        if self.static and self.known_time is not None:
            raise ValueError("a static attribute needs no known_time; remove one of the two")
        return self


class SourceSettings(Settings):
    """One entry of the YAML's ``sources``; its key is the kind of the source.

    Exactly one of ``path``, ``duckdb``, ``postgres``, ``frame`` and ``table`` says where the table is.
    """

    path: str | None = Field(
        default=None,
        description="Parquet or CSV file, folder or glob, relative to the configuration; ${VARIABLE} expands.",
    )
    duckdb: DuckDBTable | None = Field(default=None, description="Table of a DuckDB file.")
    postgres: PostgresTable | None = Field(default=None, description="Table or query of a PostgreSQL server.")
    frame: str | None = Field(default=None, description="Name of a pandas, Arrow or Spark table handed over in Python.")
    table: str | None = Field(default=None, description="Table of Spark's catalogue; only with engine: spark.")
    columns: dict[str, str] = Field(default_factory=dict, description="Our name: the table's column.")
    compute: dict[str, str] = Field(
        default_factory=dict, description="Our name: an SQL expression over the table's columns, row by row."
    )
    where: str | None = Field(default=None, description="Row filter over the table's columns, an SQL expression.")
    timezone: str | None = Field(
        default=None, description="Zone of times that carry none, for example Europe/London or UTC."
    )
    values: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="Our name: how the table's values translate to ours."
    )
    attributes: dict[str, AttributeSettings] = Field(
        default_factory=dict, description="Attributes of customers; only for the source 'customers'."
    )
    csv: CsvSettings = Field(default_factory=CsvSettings, description="How to read CSV files, where detection fails.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        places = [name for name in _PLACES if getattr(self, name) is not None]
        if len(places) != 1:
            found = " and ".join(places) or "none"
            raise ValueError(f"a source needs exactly one of {', '.join(_PLACES)}; found {found}")
        twice = sorted(set(self.columns) & set(self.compute))
        if twice:
            raise ValueError(f"{', '.join(twice)} is mapped under both columns and compute; keep one")
        return self
