"""Settings, fingerprints and metrics in the shapes that MLflow keeps, and back; nothing secret gets through."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from mlflow.entities import Metric, Param, Run

from holdfast.credentials import hide_credentials, is_secret
from holdfast.timeline import moment, show
from holdfast.tracking.entries import RunRecord

_FINGERPRINT, _BY_CUTOFF = "holdfast.fingerprint.", "_by_cutoff"
_JSON_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_NOT_IN_KEYS = re.compile(r"[^\w\-. :/]")
_LONGEST = 5000  # characters of a parameter or tag that every MLflow store keeps
_LONGEST_DIGEST = 36


def flat(settings: Mapping[str, Any]) -> list[Param]:
    """Nested settings as parameters such as ``model.learning_rate = 0.03``; lists as JSON."""
    return [Param(key, text(value)) for key, value in _flat(settings, prefix="")]


def _flat(settings: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in settings.items():
        path = prefix + _NOT_IN_KEYS.sub("_", str(key))
        if isinstance(value, Mapping):
            yield from _flat(value, f"{path}.")
        else:
            shown = value if isinstance(value, str) else json.dumps(value, default=str)
            yield path, "***" if is_secret(path) else shown


def text(value: str) -> str:
    """A text as it may be kept: without credentials, and not longer than every store takes."""
    return hide_credentials(value)[:_LONGEST]


def report(content: Mapping[str, Any]) -> str:
    """A report as JSON, keys sorted, without credentials."""
    written = json.dumps(content, indent=2, sort_keys=True, default=str)
    return _JSON_TEXT.sub(lambda found: json.dumps(hide_credentials(json.loads(found[0]))), written) + "\n"


def fingerprint_tags(fingerprints: Mapping[str, str]) -> dict[str, str]:
    """Fingerprints as tags of a run and of a version."""
    return {f"{_FINGERPRINT}{key}": text(value) for key, value in fingerprints.items()}


def finite_metrics(
    pooled: Mapping[str, float],
    by_cutoff: Mapping[int, Mapping[str, float]],
    data_fingerprint: str,
    model_id: str | None = None,
) -> list[Metric]:
    """Pooled metrics under their own name; those of a cutoff as ``<name>_by_cutoff``, a step a cutoff, at its date.

    A metric that is not a finite number could not be drawn or compared, and is left out.
    """
    now = int(datetime.now(UTC).timestamp() * 1000)
    logged = [Metric(key, float(value), now, 0, model_id) for key, value in pooled.items() if math.isfinite(value)]
    for step, cutoff in enumerate(sorted(by_cutoff)):
        at = int(moment(cutoff).timestamp() * 1000)
        data = {"dataset_name": f"cutoff {show(cutoff)}", "dataset_digest": data_fingerprint[:_LONGEST_DIGEST]}
        logged += [
            Metric(f"{key}{_BY_CUTOFF}", float(value), at, step, model_id, **data)
            for key, value in by_cutoff[cutoff].items()
            if math.isfinite(value)
        ]
    return logged


def record(run: Run, version: str | None, aliases: Mapping[str, str]) -> RunRecord:
    """A run as a line of the list of runs; ``aliases`` are those of the registered model, alias → version."""
    return RunRecord(
        run_id=run.info.run_id,
        version=version,
        aliases=tuple(sorted(alias for alias, of in aliases.items() if of == version)),
        started=datetime.fromtimestamp(run.info.start_time / 1000, UTC),
        status=run.info.status.lower(),
        metrics={key: value for key, value in run.data.metrics.items() if not key.endswith(_BY_CUTOFF)},
        fingerprints={
            key.removeprefix(_FINGERPRINT): value
            for key, value in run.data.tags.items()
            if key.startswith(_FINGERPRINT)
        },
    )
