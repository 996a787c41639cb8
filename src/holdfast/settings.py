"""The one base class of all settings: frozen, strict, and worded for the person who wrote the YAML."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidatorFunctionWrapHandler, field_validator


class Settings(BaseModel):
    """Settings of one room. Unknown keys are refused, values never change after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    @field_validator("*", mode="wrap")
    @classmethod
    def _yes_is_no_number(cls, value: Any, validated: ValidatorFunctionWrapHandler) -> Any:
        """YAML reads ``yes`` and ``on`` as true, which would count as 1."""
        found = validated(value)
        if isinstance(value, bool) and not isinstance(found, bool):
            raise ValueError("wanted a number and no yes or no")  # noqa: TRY004 - pydantic words no TypeError
        return found
