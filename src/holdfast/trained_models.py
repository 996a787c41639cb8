"""The models of a project: trained, kept as runs, compared, and put in charge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from holdfast.config import Configuration
from holdfast.dataset import Dataset
from holdfast.errors import BundleError
from holdfast.evaluation import Evaluation
from holdfast.files import temporary_folder
from holdfast.learning.effort import EFFORTS
from holdfast.learning.training import fit, require_learnable
from holdfast.models import Bundle
from holdfast.models.model_card import TrainingRecord
from holdfast.promotion import judge
from holdfast.report import plots as drawings
from holdfast.report.results import Runs, Trained
from holdfast.scoring import declarations
from holdfast.timeline import show
from holdfast.tracking import Promotion, StoredModel, Tracker, Verdict

EVALUATION = "evaluation"  # the folder of a run that keeps the bundle as it stood at the latest test cutoff
_OF_TWO_FITS = 1 / 2  # of a training: the evaluation and the model


@dataclass(frozen=True)
class TrainedModels:
    """Training, promotion and the champion of one configuration."""

    configuration: Configuration
    dataset: Dataset
    evaluation: Evaluation
    tracker: Tracker

    def train(self, *, force: bool = False) -> Trained:
        """Audit, evaluate at the latest test cutoff, train on everything, track, and register a challenger.

        The recipe is chosen once, before the test cutoff: what is trained on everything is what was tested. A search
        for parameters (``training.tuning``) is made anew.

        Where data, code and the settings that decide a model are those of the present challenger, nothing is done,
        unless forced: a price or an offer needs no training.

        Raises
        ------
        AuditError
            A finding is not allowed by name.
        DataError
            Too many rejected rows, too few customers, one class only, or an incomplete outcome.
        """
        self.evaluation.tuning(1.0)  # what is missing for it is told before anything is read
        self.dataset.tables.report.require(self.configuration.most_rejected)
        known = None if force else self.tracker.find(self.configuration.name, self.evaluation.model_fingerprints)
        if known is not None:
            stored = self.tracker.challenger(self.configuration.name)
            bundle = Bundle.load(stored.bundle)
            return self._trained(stored.version, stored.run_id, bundle, known.metrics, fresh=False)
        snapshots = self.evaluation.training_snapshots()
        require_learnable(snapshots)
        effort = EFFORTS[self.configuration.training.effort]
        found = self.dataset.audit(cutoffs=effort.audit_cutoffs)
        found.require_clean()
        latest = self.evaluation.test_cutoffs()[-1]
        tested = self.evaluation.at([latest], part=_OF_TWO_FITS, draws=effort.draws)
        settings = self.configuration
        spec = self.evaluation.spec(self.evaluation.tuning(_OF_TWO_FITS))
        if spec.tuning is None:
            spec = replace(spec, recipes=_learnt(tested.bundles[latest]).recipes)
        bundle = fit(snapshots, spec, recent=self.dataset.recent(), progress=self.dataset.progress)
        metrics, learnt = tested.figures(latest), _learnt(bundle)
        records = {name: record for name, record in (learnt.tuning or {}).items() if record}
        tuned = {name: {"chosen": record["chosen"], **record["parameters"]} for name, record in records.items()}
        with temporary_folder() as temporary:
            folder = bundle.save(temporary / "bundle")
            evaluation = tested.bundles[latest].save(temporary / EVALUATION)
            run = self.tracker.log_training(
                folder,
                name=settings.name,
                features=bundle.features,
                parameters={**self.evaluation.parameters(), "tuned": tuned, "choice": learnt.choice},
                metrics=metrics,
                metrics_by_cutoff={latest: metrics},
                fingerprints=self.evaluation.model_fingerprints,
                plots=drawings.figures(tested),
                audit=found.to_dict(),
                backtest=tested.to_dict(),
                folders={EVALUATION: evaluation},
                unless_known=not force,
            )
        return self._trained(run.version, run.run_id, bundle, metrics, fresh=run.fresh)

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
            tested_at=show(self.evaluation.test_cutoffs()[-1]),
            tracking=self.tracker.location,
            choice=learnt.choice,
            sample=learnt.sample,
            tuning=learnt.tuning,
            gives_up=learnt.gives_up,
        )

    def promote(self) -> Promotion:
        """Make the challenger champion, unless it is worse on the latest test cutoff."""

        def compare(champion: StoredModel | None, challenger: StoredModel) -> Verdict:
            if champion is None:
                return Verdict(accepted=True, reason="there was no champion yet")
            old, new = self._at_latest_test(champion), self._at_latest_test(challenger)
            return judge(old, new, self._snapshots_for((old, new), self.evaluation.test_cutoffs()[-1]))

        return self.tracker.promote(self.configuration.name, compare)

    def _at_latest_test(self, model: StoredModel) -> Bundle:
        """The model as it stood at its latest test cutoff, before it learnt what came after."""
        return Bundle.load(self.tracker.folder(model.run_id, EVALUATION))

    def _snapshots_for(self, bundles: Sequence[Bundle], cutoff: int) -> pd.DataFrame:
        own = self.dataset.own.records
        features = {
            each.name: each for bundle in bundles for each in declarations(bundle, self.dataset.vocabulary, own)
        }
        return self.dataset.built(tuple(features.values()), [cutoff], self.configuration.labels)

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

    def runs(self) -> Runs:
        """The trained models, newest first."""
        return Runs(self.configuration.name, tuple(self.tracker.runs(self.configuration.name)))


def _learnt(bundle: Bundle) -> TrainingRecord:
    """What the training of a bundle recorded."""
    if bundle.card.training is None:
        raise BundleError("Wanted a bundle that training made, found one without its record. Train again.")
    return bundle.card.training
