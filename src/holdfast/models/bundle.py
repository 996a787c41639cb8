"""Trained models on disk: text and JSON with hashes, nothing that runs when it is opened.

::

    bundle.json            format, model card, features, the small parts of the models, the sha256 of other files
    bundle.sha256          the sha256 of bundle.json
    *_trees.txt            boosted trees in LightGBM's text form

The folder appears whole or not at all. A file that does not match its hash is refused by name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd

from holdfast.errors import BundleError, StorageError
from holdfast.files import write_folder
from holdfast.models.calibration import sigmoid
from holdfast.models.encoding import to_matrix
from holdfast.models.feature_record import FeatureRecord
from holdfast.models.lifetime import Lifetime, value_columns
from holdfast.models.model_card import ModelCard
from holdfast.models.risk import RiskModel
from holdfast.models.scores import Scores
from holdfast.models.states import StateModel
from holdfast.models.value import ValueModel

FORMAT = "holdfast-bundle/4"
_INDEX, _SEAL = "bundle.json", "bundle.sha256"
_BROKEN = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    RecursionError,
    MemoryError,
    lgb.basic.LightGBMError,
)
"""What a file that was edited may make of the code that reads it."""


@dataclass(frozen=True)
class Bundle:
    """Risk, value and states of the same customers, with what one must know to use them.

    Parameters
    ----------
    risk : RiskModel or fitted AtRiskClassifier
    value : ValueModel or fitted ValueRegressor
    features : sequence of FeatureRecord
        In the order of the matrix.
    card : ModelCard
    states : StateModel, optional
        Who has gone and who is leaving; by default as with contracts, where whoever churns leaves.
    """

    risk: RiskModel
    value: ValueModel
    features: tuple[FeatureRecord, ...]
    card: ModelCard
    states: StateModel = field(default_factory=StateModel)

    def __post_init__(self) -> None:
        for part in ("risk", "value"):  # a fitted estimator gives what it computes
            object.__setattr__(self, part, getattr(getattr(self, part), "model_", getattr(self, part)))
        object.__setattr__(self, "features", tuple(self.features))
        widths = {len(self.features), self.risk.n_features, self.value.n_features, *self.states.widths}
        if len(widths) > 1:
            states = f", and models of states of {' and '.join(map(str, self.states.widths))}"
            raise BundleError(
                f"A bundle wants as many features as its models take; found {len(self.features)} features, a risk "
                f"model of {self.risk.n_features} and a value model of {self.value.n_features} columns"
                f"{states if self.states.widths else ''}. Fit all on these features."
            )

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the feature columns, in the order of the matrix."""
        return tuple(feature.name for feature in self.features)

    def scores(self, frame: pd.DataFrame, *, reasons: bool = False) -> Scores:
        """Everything that the models say of customers; extra columns are ignored, the index is kept.

        Parameters
        ----------
        reasons : bool
            Whether to compute contributions too, which takes several times as long as the rest.

        Raises
        ------
        BundleError
            Feature columns are missing.
        InputError
            A feature is infinite, text where a number is wanted, or a number where a text is.
        """
        X = to_matrix(frame, self.features)
        log_odds, contributions = self.risk.explained(X) if reasons else (self.risk.log_odds(X), None)
        value = self.value.distribution(X)
        outlook = self.states.outlook(X, sigmoid(log_odds), value)
        return Scores(self.feature_names, log_odds, value, outlook, contributions, frame.index)

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Score customers; extra columns are ignored, the index is kept.

        Returns
        -------
        DataFrame of float64
            ``p_churn``; ``value``, ``value_low``, ``value_high`` (mean and central 90 % interval, currency);
            ``expected_loss = p_leaving * (value_if_kept - value_if_lost)``; ``p_gone``, ``p_leaving``, ``p_staying``;
            ``value_if_kept`` with its interval, and ``value_if_lost`` (:mod:`holdfast.models.states`).

        Raises
        ------
        BundleError, InputError
            As :meth:`scores`.
        """
        return self.scores(frame).predictions

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """What each feature adds to the calibrated log-odds, and ``base``; rows sum to the log-odds within 1e-9."""
        parts = self.risk.contributions(to_matrix(frame, self.features))
        return pd.DataFrame(parts, columns=[*self.feature_names, "base"], index=frame.index)

    def value_over(self, frame: pd.DataFrame, horizons: Sequence[float], yearly_discount: float = 0.0) -> pd.DataFrame:
        """Expected value within horizons of up to three years, carried on by the customer base (:mod:`lifetime`).

        The index is kept. At the model's own horizon and without a discount it is ``value`` of :meth:`predict`, to the
        bit. The level of the time of the year is that of the own horizon throughout. A value below 0, of refunds, is
        the same at every horizon; a customer whose history is unknown gains as a new one does.

        Parameters
        ----------
        horizons : sequence of float
            Days from the beginning of the outcome window, increasing.
        yearly_discount : float
            0.1 for a tenth a year; each month's value is discounted until its middle.

        Returns
        -------
        DataFrame of float64
            ``value_<days>d`` for each horizon, in currency, never decreasing from left to right.

        Raises
        ------
        BundleError
            There is no customer base in the bundle, or feature columns are missing.
        InputError
            The horizons do not increase or are longer than three years, or the discount is below 0 or not finite.
        """
        found = Lifetime.of(self.value, self.card).mean(to_matrix(frame, self.features), horizons, yearly_discount)
        return pd.DataFrame(found, columns=value_columns(horizons), index=frame.index)

    def save(self, folder: str | Path) -> Path:
        """Write the folder whole or not at all; an older bundle of the same name is replaced.

        Raises
        ------
        StorageError
            The disk refused; what was there before is still there.
        """
        folder = Path(folder)
        try:
            write_folder(folder, self._files())
        except OSError as error:
            raise StorageError(
                f"Wanted to write the model bundle to {folder}; the system answered: {error.strerror}. "
                "Free space or choose another place; what was there before is unchanged."
            ) from error
        return folder

    def _files(self) -> dict[str, bytes]:
        risk, risk_texts = self.risk.to_parts()
        value, value_texts = self.value.to_parts()
        states, state_texts = self.states.to_parts()
        files = {name: text.encode() for name, text in (risk_texts | value_texts | state_texts).items()}
        index = {
            "format": FORMAT,
            "card": self.card.to_json(),
            "features": [feature.to_json() for feature in self.features],
            "risk": risk,
            "value": value,
            "states": states,
            "files": {name: _sha256(content) for name, content in sorted(files.items())},
        }
        text = json.dumps(index, indent=1, ensure_ascii=False, allow_nan=False, sort_keys=True, default=_plain)
        files[_INDEX] = text.encode()
        files[_SEAL] = _sha256(files[_INDEX]).encode()
        return files

    @classmethod
    def load(cls, folder: str | Path) -> Bundle:
        """Read a bundle after checking every hash; no code from the folder runs.

        Raises
        ------
        BundleError
            A file is missing, damaged or of another format; it is named.
        """
        folder = Path(folder)
        raw = _read(folder / _INDEX)
        _require(folder / _INDEX, raw, _read(folder / _SEAL).decode("ascii", "replace").strip())
        try:
            return cls._from_index(folder, json.loads(raw, parse_float=_finite, parse_constant=_finite))
        except _BROKEN as error:
            raise BundleError(
                f"{folder} has sound hashes, but what it holds is no model ({type(error).__name__}). It was changed by "
                "hand; copy the bundle again, or train again."
            ) from None

    @classmethod
    def _from_index(cls, folder: Path, index: Mapping[str, Any]) -> Bundle:
        if index.get("format") != FORMAT:
            raise BundleError(
                f"{folder / _INDEX} has format {index.get('format')!r}; this version of holdfast reads {FORMAT!r}. "
                "Train again, or use the version that wrote it."
            )
        texts = {}
        for name, wanted in index["files"].items():
            if Path(name).name != name:
                raise BundleError(f"{folder / _INDEX} names the file {name!r} outside its folder. Train again.")
            content = _read(folder / name)
            _require(folder / name, content, wanted)
            texts[name] = content.decode()
        bundle = cls(
            RiskModel.from_parts(index["risk"], texts),
            ValueModel.from_parts(index["value"], texts),
            tuple(FeatureRecord.from_json(each) for each in index["features"]),
            ModelCard.from_json(index["card"]),
            StateModel.from_parts(index["states"], texts),
        )
        bundle._require_answers()
        return bundle

    def _require_answers(self) -> None:
        """Refuse parts that do not fit each other: an unknown customer and an invented one are scored."""
        invented = {
            each.name: [None, (*each.categories, "")[0]] if each.is_category else [np.nan, 1.0]
            for each in self.features
        }
        with np.errstate(over="raise"):
            scores = self.scores(pd.DataFrame(invented), reasons=True)
            numbers = (scores.predictions.to_numpy(), scores.contributions, scores.probability_at_stake_above(1.0))
        if not all(np.isfinite(np.asarray(each, dtype=np.float64)).all() for each in numbers):
            raise ValueError("scores that are not finite")


def _finite(text: str) -> float:
    """A number of JSON; the words NaN and Infinity, and numbers beyond all bounds, are none."""
    number = float(text)
    if not np.isfinite(number):
        raise ValueError("a number that is not finite")
    return number


def _plain(value: Any) -> Any:
    """JSON of numpy's numbers and of mappings that are no dict."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(
        f"The bundle's model card holds a {type(value).__name__}; wanted text, numbers, lists and mappings."
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(
            f"Wanted the model file {path}; the system answered: {error.strerror}. "
            "Copy the bundle again, or train again."
        ) from error


def _require(path: Path, content: bytes, wanted: str) -> None:
    if _sha256(content) != wanted:
        raise BundleError(
            f"{path} does not match its sha256: wanted {wanted[:12]}…, found {_sha256(content)[:12]}…. "
            "The bundle is damaged or was changed by hand; copy it again, or train again."
        )
