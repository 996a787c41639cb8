"""From the snapshots of one cutoff to a published list: plan each customer, cut by the budget, draw the page, publish.

Snapshots come in parts, on this machine or on a cluster; the customers are planned where their parts are.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing

from holdfast.config import Configuration
from holdfast.dataset import Dataset
from holdfast.features.feature import Feature
from holdfast.files import VersionedFolder
from holdfast.models import Bundle
from holdfast.outreach import PLANNED, Planner, Scorer, not_applied, publish, select_planned, state_columns
from holdfast.outreach.state import CONSENT, tellers
from holdfast.partitioned import Parts
from holdfast.report.page import list_page
from holdfast.report.results import Published
from holdfast.scoring import declarations
from holdfast.timeline import show

FIRST = 5  # customers that a command shows


def features_to_score(dataset: Dataset, bundle: Bundle) -> tuple[Feature, ...]:
    """The features that the model and the contact rules need.

    Raises
    ------
    BundleError
        The sources cannot give a feature of the model.
    """
    features = {feature.name: feature for feature in declarations(bundle, dataset.vocabulary, dataset.own.records)}
    wanted = tellers()
    for feature in (*dataset.features(), CONSENT):
        if feature.name in wanted and dataset.vocabulary.gives(feature):
            features.setdefault(feature.name, feature)
    return tuple(features.values())


def publish_list(
    snapshots: Parts,
    settings: Configuration,
    as_of: int,
    output: VersionedFolder,
    *,
    features: Collection[str],
    bundle: Bundle,
    version: str,
    data_fingerprint: str,
) -> Published:
    """Score, select and publish, whole or not at all.

    Parameters
    ----------
    snapshots : Parts
        One row per customer at ``as_of``: ``customer_id``, ``cutoff`` and the features.
    features : collection of str
        Names of the features in ``snapshots``: those of the model and those that the rules read.
    version : str
        Of the model in the registry.

    Raises
    ------
    DataError
        There is nobody to score, or every customer is excluded.
    BundleError
        The snapshots are not those that the model wants.
    StorageError
        The disk refused; the previous list is intact.
    """
    planner = Planner(Scorer(bundle), settings.outreach)
    with closing(snapshots.map(planner, PLANNED).keep()) as planned:
        selection = select_planned(
            planned,
            settings.outreach,
            as_of,
            model_version=version,
            rules_not_applied=not_applied(state_columns(features)),
        )
    page = list_page(
        selection,
        settings.outreach,
        title=settings.name,
        model=f"{settings.name} version {version}",
        currency=settings.currency,
        features=bundle.features,
    )
    manifest = {
        "model": {"name": settings.name, "version": version},
        "fingerprints": {"configuration": settings.fingerprint, "data": data_fingerprint},
        "currency": settings.currency,
    }
    folder = publish(selection, output, report_html=page, manifest=manifest)
    return Published(
        folder=folder,
        list_id=selection.list_id,
        as_of=show(as_of),
        model_version=version,
        counts=selection.counts,
        expected_loss=selection.overview.expected_loss,
        expected_loss_on_list=float(selection.at_risk["expected_loss"].sum()),
        currency=settings.currency,
        rules_not_applied=tuple(rule["rule"] for rule in selection.rules_not_applied),
        first=selection.at_risk.head(FIRST),
    )
