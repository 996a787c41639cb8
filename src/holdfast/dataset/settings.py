"""What decides the data that a model learns from: the part of a configuration that a dataset reads."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from holdfast.audit import AuditSettings
from holdfast.features.settings import FeatureSettings, Name
from holdfast.labels import ChurnSettings, LabelSettings, ValueSettings
from holdfast.models.feature_record import Direction
from holdfast.sampling import SampleSettings
from holdfast.settings import Settings
from holdfast.snapshots import CutoffSettings, PopulationSettings
from holdfast.sources import EngineSettings, SourceSettings, SparkSettings


class TrainingDataSettings(SampleSettings):
    """How much training reads, and what is known of its features beforehand."""

    risk_rises: tuple[str, ...] = Field(
        default=(),
        description="Features, of the catalogue or your own, with which the risk of churn never falls, all else equal: "
        "the model keeps to it for every customer. Missing values are no part of the promise.",
    )
    risk_falls: tuple[str, ...] = Field(
        default=(), description="Features with which the risk of churn never rises, all else equal."
    )

    @model_validator(mode="after")
    def _one_direction_each(self) -> Self:
        both = sorted(set(self.risk_rises) & set(self.risk_falls))
        if both:
            raise ValueError(
                f"wanted one direction for each feature, found {', '.join(both)} under risk_rises and "
                "under risk_falls; remove it from one of them"
            )
        return self

    @property
    def directions(self) -> dict[str, Direction]:
        """The way that the risk goes with features, by name."""
        return {**dict.fromkeys(self.risk_rises, "rises"), **dict.fromkeys(self.risk_falls, "falls")}


class DatasetSettings(Settings):
    """Where the raw tables are, who counts as a customer, what churn and value mean, and at which instants."""

    currency: str | None = Field(
        default=None, description="Currency of all amounts, such as EUR; required if rows carry one."
    )
    sources: dict[str, SourceSettings] = Field(min_length=1, description="Where the raw tables are, by kind of source.")
    modules: tuple[str, ...] = Field(
        default=(),
        description="Python modules to import first, which register own aggregates; their code runs. They are found "
        "among the installed ones or beside this file.",
    )
    features: dict[Name, FeatureSettings] = Field(
        default_factory=dict, description="Features of your own, by name, beside those of the catalogue."
    )
    most_rejected: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="A source with a larger share of rejected rows stops training and scoring.",
    )
    population: PopulationSettings = Field(description="Who counts as a customer at a cutoff.")
    churn: ChurnSettings = Field(description="When a customer counts as lost.")
    value: ValueSettings = Field(description="What a customer is worth.")
    cutoffs: CutoffSettings = Field(description="At which instants to train and to test.")
    training: TrainingDataSettings = Field(default=TrainingDataSettings(), description="What training reads.")
    audit: AuditSettings = Field(default=AuditSettings(), description="How to look for knowledge of the future.")
    store: str | None = Field(
        default=None,
        min_length=1,
        description="Folder, relative to this file, where scoring keeps validated rows, so that the next score judges "
        "only the others; with engine: duckdb. It holds what the sources hold: protect it alike.",
    )
    engine: EngineSettings = Field(
        default=EngineSettings(), description="What reads the sources: duckdb or spark, or a mapping with bounds."
    )
    spark: SparkSettings = Field(default=SparkSettings(), description="How to work on Spark, with engine: spark.")
    seed: int = Field(
        default=0, ge=0, description="Seed of everything random but the control group, which has its own."
    )

    @property
    def labels(self) -> LabelSettings:
        """Both label definitions together."""
        return LabelSettings(churn=self.churn, value=self.value)
