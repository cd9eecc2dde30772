"""`headrace worker`: run the tasks until told to stop."""

import sys

import click


@click.command(help="Run the tasks of HEADRACE_TASK_MODULES until told to stop.")
def command() -> None:
    from consumers.engine.worker import run
    from consumers.loading import load
    from consumers.settings import WorkerSettings
    from consumers.telemetry.logs import configure

    settings = WorkerSettings()
    configure(settings)
    registry = load(settings.task_modules)
    sys.exit(run(settings, registry))
