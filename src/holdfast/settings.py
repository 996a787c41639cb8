"""The one base class of all settings: frozen, strict, and worded for the person who wrote the YAML."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Settings of one room. Unknown keys are refused, values never change after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
