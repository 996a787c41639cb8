"""The registered model as a folder: bundle, the few source files that serve it, signature, pinned requirements.

Whoever loads it needs the listed requirements and nothing of this repository: no pickle, no training code.
Features cross this border as float64 or text: MLflow refuses whole numbers for ``double``, missing ones for ``long``.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import mlflow.pyfunc
import pandas as pd
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

from holdfast.models.feature_record import FeatureRecord
from holdfast.models.scores import PREDICTIONS

_BUNDLE = "bundle"


@dataclass(frozen=True)
class ServingCode:
    """The source that a consumer needs to load the bundle.

    Parameters
    ----------
    loader_module : str
        Module with a function ``_load_pyfunc(path)`` that turns the bundle's folder into an object with ``predict``.
    root : Path
        Folder that contains the top package.
    files : sequence of Path
        The source files, below ``root``.
    requirements : sequence of str
        Distribution names, pinned to the installed version here, or complete requirements.
    """

    loader_module: str
    root: Path
    files: Sequence[Path]
    requirements: Sequence[str]

    @classmethod
    def of_bundle(cls) -> ServingCode:
        """What a holdfast bundle needs."""
        from holdfast.models import serving

        return cls(
            loader_module=serving.__name__,
            root=Path(serving.__file__).resolve().parents[2],
            files=serving.serving_files(),
            requirements=serving.SERVING_REQUIREMENTS,
        )

    def pinned(self) -> list[str]:
        """Requirements with the versions at work here, MLflow's among them, sorted."""
        named = {*self.requirements, "mlflow"}
        return sorted(name if "==" in name else f"{name}=={version(name)}" for name in named)

    def stage(self, folder: Path) -> list[Path]:
        """Copy the files below ``folder``, each at its place in its package; return the top packages."""
        tops = set()
        for file in self.files:
            place = file.resolve().relative_to(self.root.resolve())
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, folder / place)
            tops.add(folder / place.parts[0])
        return sorted(tops)


def signature(features: Sequence[FeatureRecord]) -> ModelSignature:
    """Columns in the bundle's order: double for numbers, string (may be missing) for categories; five doubles out."""
    return ModelSignature(
        inputs=Schema(
            [
                ColSpec(DataType.string, feature.name, required=False)
                if feature.is_category
                else ColSpec(DataType.double, feature.name)
                for feature in features
            ]
        ),
        outputs=Schema([ColSpec(DataType.double, name) for name in PREDICTIONS]),
        params=ParamSchema(
            [
                ParamSpec("reasons", DataType.long, 0),
                ParamSpec("horizons", DataType.double, [], (-1,)),
                ParamSpec("yearly_discount", DataType.double, 0.0),
            ]
        ),
    )


def synthetic_example(features: Sequence[FeatureRecord]) -> pd.DataFrame:
    """One invented row, so that nobody's data travels with the model: 1 for numbers, a made-up word for categories."""
    return pd.DataFrame({feature.name: ["example" if feature.is_category else 1.0] for feature in features})


def write_package(
    folder: Path, bundle: Path, features: Sequence[FeatureRecord], code: ServingCode, model: Model, staging: Path
) -> None:
    """Write the model folder that the registry keeps.

    Parameters
    ----------
    folder : Path
        Where to write; must not exist.
    bundle : Path
        Folder of the saved bundle.
    features : sequence of FeatureRecord
        The bundle's, in order.
    code : ServingCode
        The source that loads the bundle.
    model : mlflow.models.Model
        Identity of the logged model.
    staging : Path
        An empty folder for copies made on the way.
    """
    shutil.copytree(bundle, staging / _BUNDLE)
    mlflow.pyfunc.save_model(
        path=str(folder),
        loader_module=code.loader_module,
        data_path=str(staging / _BUNDLE),
        code_paths=[str(path) for path in code.stage(staging / "code")],
        mlflow_model=model,
        signature=signature(features),
        input_example=synthetic_example(features),
        pip_requirements=code.pinned(),
    )


def bundle_in(package: Path) -> Path:
    """The bundle's folder inside a model folder that :func:`write_package` wrote."""
    return package / "data" / _BUNDLE
