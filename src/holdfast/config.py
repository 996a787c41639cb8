"""One YAML file holds a whole project: this composes the settings of the rooms and words every mistake in it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from holdfast.credentials import hide_credentials
from holdfast.dataset import DatasetSettings, TrainingDataSettings
from holdfast.errors import ConfigError
from holdfast.learning.effort import Effort
from holdfast.learning.tuning_settings import Tuning
from holdfast.outreach import OutreachSettings
from holdfast.tracking import TrackingSettings

_NO_ANSWER: Any = {"engine": True, "spark": True, "store": True, "training": {"tuning": {"folder"}}}
_NO_MODEL: Any = {"outreach": True, "tracking": True, "output": True}


class TrainingSettings(TrainingDataSettings):
    """How much training reads, what is known beforehand, and how long it looks for better parameters."""

    tuning: Tuning | None = Field(
        default=None,
        description="Look for better parameters of the models on earlier cutoffs; needs the extra 'tune'. By default "
        "they stay as they are.",
    )
    effort: Effort = Field(
        default="full",
        description="How much work a training takes. 'quick' is for the edit-run cycle: at most 8,000 snapshots "
        "teach, no recipe is chosen, trees learn in large steps, one earlier cutoff judges, the audit looks at the "
        "latest cutoff alone and figures come without intervals.",
    )

    @model_validator(mode="after")
    def _no_search_in_a_hurry(self) -> Self:
        if self.effort == "quick" and self.tuning is not None:
            raise ValueError("wanted a search under tuning or the effort quick, found both; remove one of them")
        return self


class Configuration(DatasetSettings):
    """Everything that decides the answer, in one place."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", description="Names the registered model and the lists.")
    training: TrainingSettings = Field(default=TrainingSettings(), description="What training reads and tries.")
    outreach: OutreachSettings = Field(description="Whom to contact, how often, with what, and who is held back.")
    tracking: TrackingSettings = Field(default=TrackingSettings(), description="Where runs and models are kept.")
    output: str = Field(default="lists", description="Folder of the published lists, relative to this file.")

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all settings in a canonical order, but for engine and folders, which decide no answer."""
        return self._digest(_NO_ANSWER)

    @property
    def model_fingerprint(self) -> str:
        """The same of what decides a model: a price or an offer changes without retraining."""
        return self._digest(_NO_ANSWER | _NO_MODEL)

    def _digest(self, without: Any) -> str:
        text = json.dumps(self.model_dump(mode="json", exclude=without), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


class _StrictLoader(yaml.SafeLoader):
    """Plain YAML only, and no key twice."""


def _mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    own = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
    if len(own) < len(node.value):
        raise yaml.constructor.ConstructorError(None, None, "a key is no plain text", node.start_mark)
    for key in own:
        if own.count(key) > 1:
            raise yaml.constructor.ConstructorError(None, None, f"key {key!r} stands twice", node.start_mark)
    loader.flatten_mapping(node)  # what <<: brings may be written anew
    return {loader.construct_object(key): loader.construct_object(value, deep=True) for key, value in node.value}


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def load(path: Path | str) -> Configuration:
    """Read a configuration file.

    Raises
    ------
    ConfigError
        The file is missing, is no plain YAML, or a key is unknown, missing or out of bounds; all of them are named.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigError(
            f"Wanted a configuration file, found none that can be read at {path}: {reason}. "
            "Check the path, or make one with 'holdfast init FILES…'."
        ) from None
    try:
        raw = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader with more checks
    except RecursionError:
        raise ConfigError(
            f"Wanted plain YAML in {path}, found it nested too deeply. See configs/ for examples."
        ) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ConfigError(
            f"Wanted plain YAML in {path}, found a problem{where}: {getattr(error, 'problem', None) or error}. "
            "Only texts, numbers, lists and mappings are read; tags that build objects are refused."
        ) from None
    return parse(raw, path)


def parse(raw: object, path: Path | str = "the configuration") -> Configuration:
    """Check settings that are already a mapping; ``path`` only words the errors."""
    if not isinstance(raw, dict):
        raise ConfigError(
            f"Wanted a mapping of settings in {path}, found {type(raw).__name__}. See configs/ for examples."
        )
    try:
        return Configuration.model_validate(raw)
    except ValidationError as error:
        lines = [_worded(problem) for problem in error.errors()]
        plural = "s" if len(lines) > 1 else ""
        raise ConfigError(f"Found {len(lines)} problem{plural} in {path}:\n" + "\n".join(lines)) from None


def _worded(problem: Any) -> str:
    """One line per problem: where, what, and what to do about it."""
    where = ".".join(str(part) for part in problem["loc"]) or "the file as a whole"
    if problem["type"] == "extra_forbidden":
        return f"  {where}: this key is unknown; check its spelling and its place."
    if problem["type"] == "missing":
        return f"  {where}: this key is missing, and it has no default because it decides the answer."
    found = problem["input"]
    shown = f", found {hide_credentials(repr(found), str(found))}" if isinstance(found, str | int | float) else ""
    return f"  {where}: {problem['msg'].removeprefix('Value error, ')}{shown}."


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a configuration file, for editors that complete and check YAML."""
    schema = {**Configuration.model_json_schema(), "title": "Configuration of holdfast"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
