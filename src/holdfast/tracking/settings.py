"""Where runs and models are kept, and how to name that place without its password. Loads no MLflow."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pydantic import Field

from holdfast.errors import ConfigError
from holdfast.settings import Settings

_USER_INFO = re.compile(r"(?P<scheme>[A-Za-z][\w+.-]*://)[^/\s?#]*@")
_SECRET = re.compile(
    r"(?i)\b(?P<key>password|passwd|pwd|token|secret|api_?key|access_?key)(?P<is>\s*[=:]\s*)[^\s&;,'\"]+"
)
_VARIABLE = re.compile(r"\$\{(\w+)\}")


class TrackingSettings(Settings):
    """The store of runs and models; by default a file in ``models/`` beside the configuration."""

    uri: str | None = Field(
        default=None,
        description="MLflow tracking URI, such as https://mlflow.example.com; ${VARIABLE} expands. "
        "Without it, runs are kept in a sqlite file in the folder below.",
    )
    folder: str = Field(
        default="models",
        description="Folder of the local store and of models fetched from a remote one, relative to the configuration.",
    )
    experiment: str = Field(default="holdfast", min_length=1, description="Name of the MLflow experiment.")
    retries: int = Field(default=2, ge=0, le=10, description="How often an unanswered request is sent again.")
    timeout_seconds: int = Field(default=5, ge=1, description="How long one request may take, in seconds.")

    def resolve(self, base: Path) -> tuple[str, Path]:
        """The tracking URI with variables filled in, and the absolute local folder; paths are relative to ``base``.

        Raises
        ------
        ConfigError
            The URI names an environment variable that is not set.
        """
        folder = (base / self.folder).resolve()
        if self.uri is None:
            return f"sqlite:///{folder / 'mlflow.db'}", folder
        uri = _VARIABLE.sub(lambda found: _environment(found.group(1)), self.uri)
        if relative := re.fullmatch(r"sqlite:///([^/].*)", uri):
            uri = f"sqlite:///{(base / relative[1]).resolve()}"
        return uri, folder


def _environment(name: str) -> str:
    if name not in os.environ:
        raise ConfigError(
            f"tracking.uri needs the environment variable {name}, which is not set. Set it, or write the URI in full."
        )
    return os.environ[name]


def hide_credentials(text: str) -> str:
    """The text with user names and passwords of URIs, and values of ``password=`` and the like, replaced by ``***``."""
    without_user = _USER_INFO.sub(lambda found: f"{found['scheme']}***@", text)
    return _SECRET.sub(lambda found: f"{found['key']}{found['is']}***", without_user)
