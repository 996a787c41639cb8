"""What the YAML says of a run on Spark; nothing here decides the answer."""

from __future__ import annotations

from pydantic import Field

from holdfast.settings import Settings
from holdfast.sources.engine_settings import MEMORY


class SparkSettings(Settings):
    """The section ``spark``, read where ``engine: spark`` is set."""

    conf: dict[str, str] = Field(
        default_factory=dict,
        description="Spark properties of the session that holdfast starts; one that is active is used as it is.",
    )
    partitions: int | None = Field(
        default=None, ge=1, description="Parts that the customers are dealt to; by default from the number of rows."
    )
    rows_per_task: int = Field(
        default=2_000_000, ge=1, description="About so many rows go to one task where partitions is not given."
    )
    task_memory: str = Field(
        default="1GB",
        pattern=MEMORY,
        description="Memory of DuckDB in one task, outside of Spark's heap; what does not fit goes to the local disk.",
    )
    most_rows_on_driver: int = Field(
        default=250_000, ge=40_000, description="Results come to the driver in pieces of at most so many rows."
    )
    staging: str | None = Field(
        default=None,
        description="Folder that driver and executors both see, relative to this file; needed on a cluster if a source "
        "is a CSV file, a DuckDB file, a PostgreSQL table or a pandas or Arrow frame.",
    )
