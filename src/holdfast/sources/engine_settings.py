"""What the YAML says of the engine that reads the sources; nothing here decides the answer."""

from __future__ import annotations

from typing import Any, Literal, Self, get_args

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from holdfast.settings import Settings

MEMORY = r"^[0-9.]+ ?[KMGT]i?B$"
Kind = Literal["duckdb", "spark"]


class EngineSettings(Settings):
    """The section ``engine``; its kind alone may stand for it, as in ``engine: spark``."""

    kind: Kind = Field(
        default="duckdb", description="duckdb: this machine. spark: a cluster; the results are the same to the bit."
    )
    memory: str = Field(
        default="2GB", pattern=MEMORY, description="Bound for DuckDB; what does not fit goes to the temporary folder."
    )
    threads: int = Field(default=2, ge=1, description="Threads of DuckDB; each wants memory of its own.")

    @model_validator(mode="before")
    @classmethod
    def _by_its_kind(cls, given: Any) -> Any:
        return {"kind": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _bounds_of_this_machine(self) -> Self:
        if self.kind == "spark" and self.model_fields_set - {"kind"}:
            raise ValueError("memory and threads bound DuckDB on this machine; on Spark write spark.task_memory")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """A mapping or a kind."""
        mapping = handler.resolve_ref_schema(handler(core))
        own = dict(mapping)
        mapping.clear()
        mapping |= {"anyOf": [{"enum": list(get_args(Kind)), "type": "string"}, own], "description": own["description"]}
        return mapping
