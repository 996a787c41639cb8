"""The whole way, for one configuration: the only file that knows all rooms.

A :class:`Project` is what notebooks and the command line work with; each method is one stage or one command.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from holdfast.errors import BundleError
from holdfast.evaluation import Evaluation, training_spec
from holdfast.extrapolation import Extrapolation, extrapolate
from holdfast.features.feature import Feature
from holdfast.files import versioned_folder
from holdfast.learning.training import fit, require_learnable
from holdfast.lifetime import YEARS, lifetime_value
from holdfast.lists import publish_list
from holdfast.models import Bundle
from holdfast.models.model_card import TrainingRecord
from holdfast.outreach import Scorer, scored_columns
from holdfast.outreach.state import CONSENT, tellers
from holdfast.promotion import judge
from holdfast.report import plots as drawings
from holdfast.report.results import Published, Runs, Trained
from holdfast.scoring import declarations
from holdfast.snapshots import Snapshots, snapshot_parts
from holdfast.survival import HORIZONS, survival
from holdfast.timeline import instant, show
from holdfast.tracking import Promotion, StoredModel, Verdict

EVALUATION = "evaluation"  # the folder of a run that keeps the bundle as it stood at the latest test cutoff
_OF_TWO_FITS = 1 / 2  # of a training: the evaluation and the model


class Project(Evaluation):
    """A configuration at work: its data, the models trained on it, the lists they make.

    Examples
    --------
    >>> project = Project.open("configs/demo_retail.yaml")     # doctest: +SKIP
    >>> project.snapshots()                                    # doctest: +SKIP
    """

    def train(self, *, force: bool = False) -> Trained:
        """Audit, evaluate at the latest test cutoff, train on everything, track, and register a challenger.

        Where data, configuration and code are those of the present challenger, nothing is done, unless forced.

        Raises
        ------
        AuditError
            A finding is not allowed by name.
        DataError
            Too many rejected rows, too few customers, one class only, or an incomplete outcome.
        """
        self._tuning(1.0)  # what is missing for it is told before anything is read
        self.tables.report.require(self.configuration.most_rejected)
        known = None if force else self.tracker.find(self.configuration.name, self.fingerprints)
        if known is not None:
            stored = self.tracker.challenger(self.configuration.name)
            bundle = Bundle.load(stored.bundle)
            return self._trained(stored.version, stored.run_id, bundle, known.metrics, fresh=False)
        require_learnable(self._snapshots)
        found = self.audit()
        found.require_clean()
        latest = self._test_cutoffs()[-1]
        tested = self._backtest([latest], part=_OF_TWO_FITS)
        settings = self.configuration
        spec = training_spec(self, fingerprints=self.fingerprints, tuning=self._tuning(_OF_TWO_FITS))
        bundle = fit(self._snapshots, spec, recent=self.recent(), progress=self.progress)
        metrics, learnt = tested.figures(latest), _learnt(bundle)
        with tempfile.TemporaryDirectory(prefix="holdfast-") as temporary:
            folder = bundle.save(Path(temporary) / "bundle")
            evaluation = tested.bundles[latest].save(Path(temporary) / EVALUATION)
            run = self.tracker.log_training(
                folder,
                name=settings.name,
                features=bundle.features,
                parameters={**self._parameters(), **_tuned(learnt), "choice": learnt.choice},
                metrics=metrics,
                metrics_by_cutoff={latest: metrics},
                fingerprints=self.fingerprints,
                plots=drawings.figures(tested),
                audit=found.to_dict(),
                backtest=tested.to_dict(),
                folders={EVALUATION: evaluation},
            )
        return self._trained(run.version, run.run_id, bundle, metrics, fresh=True)

    def _trained(
        self, version: str, run_id: str, bundle: Bundle, metrics: Mapping[str, float], *, fresh: bool
    ) -> Trained:
        learnt = _learnt(bundle)
        return Trained(
            name=self.configuration.name,
            version=version,
            run_id=run_id,
            fresh=fresh,
            snapshots=learnt.snapshots,
            features=len(bundle.features),
            cutoffs=len(learnt.cutoffs),
            metrics=metrics,
            tested_at=show(self._test_cutoffs()[-1]),
            tracking=self.tracker.location,
            choice=learnt.choice,
            sample=learnt.sample,
            tuning=learnt.tuning,
        )

    def promote(self) -> Promotion:
        """Make the challenger champion, unless it is worse on the latest test cutoff."""

        def compare(champion: StoredModel | None, challenger: StoredModel) -> Verdict:
            if champion is None:
                return Verdict(accepted=True, reason="there was no champion yet")
            old, new = self._evaluation(champion), self._evaluation(challenger)
            return judge(old, new, self._snapshots_for((old, new), self._test_cutoffs()[-1]))

        return self.tracker.promote(self.configuration.name, compare)

    def _evaluation(self, model: StoredModel) -> Bundle:
        """The model as it stood at its latest test cutoff, before it learnt what came after."""
        return Bundle.load(self.tracker.folder(model.run_id, EVALUATION))

    def _snapshots_for(self, bundles: Sequence[Bundle], cutoff: int) -> pd.DataFrame:
        own = self.own.records
        features = {each.name: each for bundle in bundles for each in declarations(bundle, self.vocabulary, own)}
        return self.built(tuple(features.values()), [cutoff], self.configuration.labels)

    def champion(self) -> tuple[Bundle, StoredModel]:
        """The model in charge, its hashes checked.

        Raises
        ------
        HoldfastError
            There is no champion.
        BundleError
            Its files are damaged.
        """
        stored = self.tracker.champion(self.configuration.name)
        return Bundle.load(stored.bundle), stored

    def scored(self, as_of: str, *, bundle: Bundle | None = None) -> pd.DataFrame:
        """Every customer of the population as known at an instant: risk, value, reasons, and the state that rules need.

        Parameters
        ----------
        bundle : Bundle, optional
            Another model than the champion.
        """
        bundle = self.champion()[0] if bundle is None else bundle
        features, cutoff = self._features_of(bundle), instant(as_of)
        self.require_known(cutoff)
        columns = scored_columns(feature.name for feature in features)
        return self.everyone(features, [cutoff], Scorer(bundle), columns)

    def survival(
        self, as_of: str, *, horizons: Sequence[float] = HORIZONS, bundle: Bundle | None = None
    ) -> pd.DataFrame:
        """Every customer of the population with the probability of churn within each horizon; publishes nothing.

        The champion answers for ``churn.horizon_days``; the other horizons are learnt around it, from outcomes that
        were complete at the instant. Where churn is the end of a contract, probabilities never decrease in the horizon.
        Where it is "no order" or "no event", waiting longer brings more returns: ``p_churn_<days>d`` never increases,
        and ``p_return_<days>d``, the probability of an order (or event) within the horizon, never decreases.

        Parameters
        ----------
        horizons : sequence of float
            Days, increasing.
        bundle : Bundle, optional
            Another model than the champion.

        Returns
        -------
        DataFrame
            ``customer_id``, ``cutoff`` and one column for each horizon, such as ``p_churn_30d``.

        Raises
        ------
        InputError
            The horizons do not increase, or one is longer than the history after the first cutoff.
        """
        return survival(self, self.champion()[0] if bundle is None else bundle, as_of, horizons)

    def lifetime_value(
        self,
        as_of: str,
        *,
        horizons: Sequence[float] = YEARS,
        yearly_discount: float = 0.0,
        bundle: Bundle | None = None,
    ) -> pd.DataFrame:
        """Every customer of the population with the expected value within horizons of up to three years.

        The champion answers for ``value.horizon_days``, to the bit; longer and shorter horizons follow from how many
        purchases its model of the customer base expects until then. Publishes nothing.

        Parameters
        ----------
        horizons : sequence of float
            Days, increasing.
        yearly_discount : float
            0.1 for a tenth a year; each month's value is discounted until its middle.
        bundle : Bundle, optional
            Another model than the champion.

        Returns
        -------
        DataFrame
            ``customer_id``, ``cutoff`` and one column for each horizon, such as ``value_365d``, in currency; a
            customer's never decreases in the horizon, and one below 0, of refunds, stays what it is.

        Raises
        ------
        InputError
            The horizons do not increase, or one is longer than three years, or the discount is below 0 or not finite.
        BundleError
            The model holds no customer base: churn is not ``no_order``, value is ``mrr``, or too few have bought.
        """
        bundle = self.champion()[0] if bundle is None else bundle
        return lifetime_value(self, bundle, as_of, horizons, yearly_discount)

    def extrapolate(self, as_of: str, *, horizon_days: float | None = None) -> Extrapolation:
        """Every customer's churn, orders and value within a horizon that no outcome reaches yet; publishes nothing.

        For a young business, which cannot train: shorter windows that have ended are learnt from, and a model of the
        customer base carries them on. Which model, is chosen by its record on windows that have ended.

        Parameters
        ----------
        horizon_days : float, optional
            ``churn.horizon_days`` if not given.

        Returns
        -------
        Extrapolation
            ``customers``, a DataFrame with ``customer_id``, ``cutoff``, ``p_churn`` (no order within the horizon),
            ``orders`` (expected days with an order) and ``value`` (expected spend, in currency); and ``choice``.

        Raises
        ------
        ConfigError
            Churn is not ``no_order`` or value not ``revenue``.
        DataError
            Less than 63 days of history, fewer than 50 customers, or all or none of them came back.
        InputError
            The horizon is not above 0, or longer than three years.
        """
        return extrapolate(self, as_of, horizon_days)

    def _features_of(self, bundle: Bundle) -> tuple[Feature, ...]:
        """The features that the model and the rules need."""
        features = {feature.name: feature for feature in declarations(bundle, self.vocabulary, self.own.records)}
        wanted = tellers()
        for feature in (*self.features(), CONSENT):
            if feature.name in wanted and self.vocabulary.gives(feature):
                features.setdefault(feature.name, feature)
        return tuple(features.values())

    def score(self, as_of: str, *, output: Path | None = None) -> Published:
        """Score with the champion and publish the list, whole or not at all.

        Raises
        ------
        LockedError
            Another job publishes to the same folder.
        """
        settings = self.configuration
        cutoff = instant(as_of)
        folder = (self.base / settings.output if output is None else output).resolve()
        with self.from_store():
            self.tables.report.require(settings.most_rejected)
            with versioned_folder(folder) as published:
                bundle, stored = self.champion()
                self.require_known(cutoff)
                features = self._features_of(bundle)
                snapshots = Snapshots.of(features, settings.population, [cutoff])
                return publish_list(
                    snapshot_parts(self.tables, snapshots, progress=self.progress),
                    settings,
                    cutoff,
                    published,
                    features=[feature.name for feature in features],
                    bundle=bundle,
                    version=stored.version,
                    data_fingerprint=self.tables.fingerprint,
                )

    def runs(self) -> Runs:
        """The trained models, newest first."""
        return Runs(self.configuration.name, tuple(self.tracker.runs(self.configuration.name)))


def _learnt(bundle: Bundle) -> TrainingRecord:
    """What the training of a bundle recorded."""
    if bundle.card.training is None:
        raise BundleError("Wanted a bundle that training made, found one without its record. Train again.")
    return bundle.card.training


def _tuned(learnt: TrainingRecord) -> dict[str, Any]:
    """Which parameters the search chose for each score, as parameters of a run."""
    records = learnt.tuning or {}
    return {"tuned": {name: {"chosen": r["chosen"], **r["parameters"]} for name, r in records.items() if r}}
