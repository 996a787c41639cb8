"""The one base class of all settings, frozen, strict, and worded for who wrote the YAML; variables in their values."""

from __future__ import annotations

import os
import re
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidatorFunctionWrapHandler, field_validator

from holdfast.errors import ConfigError


class Settings(BaseModel):
    """Settings of one room. Unknown keys are refused, values never change after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)

    @field_validator("*", mode="wrap")
    @classmethod
    def _yes_is_no_number(cls, value: Any, validated: ValidatorFunctionWrapHandler) -> Any:
        """YAML reads ``yes`` and ``on`` as true, which would count as 1."""
        found = validated(value)
        if isinstance(value, bool) and not isinstance(found, bool):
            raise ValueError("wanted a number and no yes or no")  # noqa: TRY004 - pydantic words no TypeError
        return found


def expanded(text: str, key: str) -> str:
    """The text with every ``${VARIABLE}`` replaced by its value in the environment."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise ConfigError(
                f"{key} needs the environment variable {name}, which is not set. Set it, or write the value."
            )
        return os.environ[name]

    return re.sub(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", value, text)
