"""Where runs and models are kept. Loads no MLflow."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field

from holdfast.settings import Settings, expanded


class TrackingSettings(Settings):
    """The store of runs and models; by default a file in ``models/`` beside the configuration."""

    uri: str | None = Field(
        default=None,
        repr=False,
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
        uri = expanded(self.uri, "tracking.uri")
        if relative := re.fullmatch(r"sqlite:///([^/].*)", uri):
            uri = f"sqlite:///{(base / relative[1]).resolve()}"
        return uri, folder
