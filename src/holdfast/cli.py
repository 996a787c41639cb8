"""The command line: parse, call the project, print. Heavy imports wait until a command runs.

Exit codes: 0 done, 2 wrong usage or configuration, 3 data rejected, 4 audit stopped, 5 registry unreachable,
6 another job holds the lock, 1 anything else.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

from holdfast.errors import HoldfastError
from holdfast.interrupt import control_c_stops
from holdfast.terminal import printable, ready

if TYPE_CHECKING:
    from holdfast.project import Project

app = typer.Typer(
    help="Hold on to your customers: from raw tables to a published, explained at-risk list.",
    epilog="Exit codes: 0 done · 2 wrong usage or configuration · 3 data rejected · 4 audit stopped · "
    "5 registry unreachable · 6 another job holds the lock · 1 anything else",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
features_app = typer.Typer(help="The catalogue of features, and the table they make.", no_args_is_help=True)
app.add_typer(features_app, name="features")

Config = Annotated[Path, typer.Argument(help="Configuration file (YAML).", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on the last line, for programs.")]
INTERRUPTED = 130
KINDS = Literal["retail", "subscription"]
Kind = Annotated[KINDS, typer.Option(help="Without contracts (retail) or with them (subscription).")]
Customers = Annotated[int, typer.Option(min=1, help="How many customers to simulate.")]


@app.command()
def demo(
    kind: Kind = "retail",
    customers: Customers = 8_000,
    config: Annotated[Path | None, typer.Option(help="Instead of configs/demo_KIND.yaml.")] = None,
) -> None:
    """Go the whole way once, on a simulated business: simulate, check, train, backtest, promote, score."""
    from holdfast.demo import run_demo
    from holdfast.progress import bars

    run_demo(kind, config or Path("configs") / f"demo_{kind}.yaml", customers, bars)


@app.command()
def init(
    files: Annotated[list[Path], typer.Argument(help="Raw tables: Parquet or CSV files.", show_default=False)],
    output: Annotated[Path, typer.Option(help="The configuration to write.")] = Path("holdfast.yaml"),
    name: Annotated[str, typer.Option(help="Names the model and the lists.")] = "customers",
) -> None:
    """Look at raw tables and write a commented configuration with guesses."""
    from holdfast.init import write_configuration

    print_line(write_configuration(files, output, name))


@app.command()
def simulate(
    kind: Annotated[KINDS, typer.Argument(help="Without contracts or with them.", show_default=False)],
    folder: Annotated[Path, typer.Argument(help="Where the tables go.", show_default=False)],
    customers: Customers = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 7,
) -> None:
    """Make the raw tables of a business with known truth."""
    from holdfast.progress import bars
    from holdfast.report import console
    from holdfast.simulate import simulate as run

    console.line(str(run(kind, folder, customers=customers, seed=seed, progress=bars)))


@app.command()
def check(
    config: Config,
    audit: Annotated[
        bool, typer.Option("--audit", help="Also look for knowledge of the future in the features.")
    ] = False,
    rejects: Annotated[Path | None, typer.Option(help="Write the rejected rows to this Parquet file.")] = None,
    json: Json = False,
) -> None:
    """Read and validate the sources; say what was rejected and why."""
    from holdfast.report import console

    with open_project(config) as project:
        checked = project.check(audit=audit, rejects=rejects)
        console.show(checked, json)
        checked.require()


@features_app.command("list")
def features_list(
    config: Annotated[Path | None, typer.Argument(help="Only what these sources can give; else all.")] = None,
    json: Json = False,
) -> None:
    """Show every feature with unit, window and meaning."""
    from holdfast.features.catalogue import EVERYTHING, catalogue
    from holdfast.report import console

    if config is None:
        console.features(catalogue(EVERYTHING), json)
        return
    with open_project(config) as project:
        console.features(project.features(), json)


@features_app.command("build")
def features_build(
    config: Config, output: Annotated[Path, typer.Option(help="Parquet file to write.")] = Path("snapshots.parquet")
) -> None:
    """Write the labelled snapshots table: one row per customer and training cutoff."""
    from holdfast.report import console

    with open_project(config) as project:
        console.show(project.write_snapshots(output), as_json=False)


@app.command()
def train(
    config: Config,
    force: Annotated[
        bool, typer.Option("--force", help="Train even if data, configuration and code are unchanged.")
    ] = False,
    json: Json = False,
) -> None:
    """Audit, train, track and register a challenger."""
    from holdfast.report import console

    with open_project(config) as project:
        console.show(project.train(force=force), json)


@app.command()
def backtest(
    config: Config,
    plots: Annotated[Path | None, typer.Option(help="Folder for calibration, gains and value plots.")] = None,
    curves: Annotated[
        bool, typer.Option("--learning-curves", help="Also show what more history and more customers would bring.")
    ] = False,
    keep: Annotated[
        Path | None, typer.Option(help="Folder that keeps fits as they finish; the next run takes them up.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Fits at once; by default what cores and memory bear.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Evaluate on each test cutoff what would have been known then, beside the baselines."""
    from holdfast.report import console
    from holdfast.report.results import Evaluated

    with open_project(config) as project:
        result = project.backtest(plots=plots, track=True, keep=keep, jobs=jobs)
        learnt = project.learning_curves(plots=plots, keep=keep, jobs=jobs) if curves else None
        console.show(Evaluated(result, learnt), json)


@app.command()
def promote(config: Config, json: Json = False) -> None:
    """Make the challenger champion, unless it is worse on the latest test cutoff."""
    from holdfast.report import console

    with open_project(config) as project:
        console.show(project.promote(), json)


@app.command()
def score(
    config: Config,
    as_of: Annotated[str, typer.Option("--as-of", help="The instant to stand at, such as 2025-01-01.")],
    output: Annotated[Path | None, typer.Option(help="Folder of lists, instead of the configured one.")] = None,
    json: Json = False,
) -> None:
    """Score every customer with the champion and publish the list, whole or not at all."""
    from holdfast.report import console

    with open_project(config) as project:
        console.show(project.score(as_of, output=output), json)


@app.command()
def runs(config: Config, json: Json = False) -> None:
    """List the trained models with their aliases and figures."""
    from holdfast.report import console

    with open_project(config) as project:
        console.show(project.runs(), json)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a configuration, for editors."""
    from json import dumps

    from holdfast.config import json_schema

    print_line(dumps(json_schema(), indent=2))


def open_project(config: Path) -> Project:
    """Open the configuration with progress bars."""
    from holdfast.progress import bars
    from holdfast.project import Project

    return Project.open(config, progress=bars)


def print_line(text: str) -> None:
    """Print to standard output, and not by typer, which takes a terminal that knows ASCII alone for one that errs."""
    print(printable(text))  # noqa: T201 - a command prints


def main() -> None:
    """Run a command; an error of ours becomes one message and its exit code."""
    try:
        ready()
        with control_c_stops():
            app()
    except HoldfastError as error:
        _end(f"{type(error).__name__.removesuffix('Error')} error: {error}", error.exit_code)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        _end(f"The system refused: {error.strerror or error}{where}. Nothing half-written was left.", 1)
    except MemoryError:
        _end("Memory did not suffice. Nothing half-written was left; lower training.most_snapshots.", 1)
    except (KeyboardInterrupt, SystemExit) as end:
        if isinstance(end, SystemExit) and end.code != INTERRUPTED:  # which typer makes of Control-C, and says nothing
            raise
        _end("Stopped. Nothing half-written was left.", INTERRUPTED)


def _end(message: str, code: int) -> NoReturn:
    print(printable(message), file=sys.stderr)  # noqa: T201 - see print_line
    sys.exit(code)
