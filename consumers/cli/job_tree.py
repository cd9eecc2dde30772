"""`headrace jobs tree`: a workflow with all its steps."""

import asyncio

import click

from consumers.cli.output import print_json
from consumers.cli.pending import known_jobs
from events.job_tree import Branch, root_of, tree_of
from events.settings import ClientSettings


@click.command()
@click.argument("job_id")
@click.option(
    "--widest", default=50, show_default=True, type=click.IntRange(min=1), help="So many steps side by side."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def tree(job_id: str, widest: int, as_json: bool) -> None:
    """The workflow a job belongs to, its last job on top."""
    jobs = asyncio.run(known_jobs(ClientSettings(), None))
    job = next((each for each in jobs if each.job_id == job_id), None)
    if job is None:
        raise click.ClickException(f"no job {job_id} is known: not taken yet, or forgotten since")
    branches = tree_of(root_of(job), jobs, widest=widest)
    if as_json:
        print_json([branch.as_json() for branch in branches])
        return
    for branch in branches:
        click.echo(_line(branch))


def _line(branch: Branch) -> str:
    indent, job = "  " * branch.depth, branch.job
    if job is None:
        counts = ", ".join(f"{count} {state}" for state, count in sorted(branch.left_out.items()))
        return f"{indent}… and {counts}"
    error = job.document.get("error") or {}
    why = f"  {error.get('type')}: {error.get('message')}" if error else ""
    step = f"{branch.step} " if branch.depth else ""
    return f"{indent}{step}{job.task} {job.state}  {job.job_id}{why}"
