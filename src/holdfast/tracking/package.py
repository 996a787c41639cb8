"""The registered model as a folder: bundle, the few source files that serve it, signature, pinned requirements.

Whoever loads it needs the listed requirements and nothing of this repository: no pickle, no training code.
Features cross this border as float64 or text: MLflow refuses whole numbers for ``double``, missing ones for ``long``.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import mlflow.pyfunc
import pandas as pd
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

from holdfast.models import serving
from holdfast.models.feature_record import FeatureRecord
from holdfast.models.scores import PREDICTIONS

_BUNDLE = "bundle"
_SERVING = ("errors.py", "files/*.py", "models/**/*.py")  # the room and what it imports of the package
_IMPORTS = re.compile(r"^(\s*(?:from|import) )holdfast\b", re.MULTILINE)
_DIGEST = 12  # hexadecimal digits that tell one code from another


@dataclass(frozen=True)
class ServingCode:
    """The source that a consumer needs to load the bundle.

    Parameters
    ----------
    loader_module : str
        Module with a function ``_load_pyfunc(path)`` that turns the bundle's folder into an object with ``predict``.
    sources : mapping of str to str
        Text of each source file by its place, such as "my_package/loader.py".
    requirements : sequence of str
        Distribution names, pinned to the installed version here, or complete requirements.
    """

    loader_module: str
    sources: Mapping[str, str]
    requirements: Sequence[str]

    @classmethod
    def of_bundle(cls) -> ServingCode:
        """What a holdfast bundle needs, as a package named after its own code.

        Whoever loads a model has its code in their process from then on. Under the name of this package it would hide
        the installed one, or another model's of another version; named after what it says, each stands beside the
        others.
        """
        root = Path(serving.__file__).parents[1]
        files = [file for pattern in _SERVING for file in sorted(root.glob(pattern))]
        texts = {file.relative_to(root).as_posix(): file.read_text(encoding="utf-8") for file in files}
        digest = sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest()[:_DIGEST]
        package = f"holdfast_model_{digest}"
        sources = {f"{package}/{place}": _IMPORTS.sub(rf"\1{package}", text) for place, text in texts.items()}
        sources[f"{package}/__init__.py"] = '"""The part of holdfast that a stored model needs."""\n'
        return cls(f"{package}.models.serving", sources, serving.SERVING_REQUIREMENTS)

    def pinned(self) -> list[str]:
        """Requirements with the versions at work here, MLflow's among them, sorted."""
        named = {*self.requirements, "mlflow"}
        return sorted(name if "==" in name else f"{name}=={version(name)}" for name in named)

    def stage(self, folder: Path) -> list[Path]:
        """Write the files below ``folder``, each at its place; return the top packages."""
        for place, text in self.sources.items():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).write_text(text, encoding="utf-8")
        return sorted({folder / Path(place).parts[0] for place in self.sources})


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
