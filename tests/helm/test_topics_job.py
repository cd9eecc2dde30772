"""Topics are there before the workers, whoever runs the chart."""

from tests.helm.chart import VARIANTS, Chart, container, environment


def test_a_hook_runs_before_install_and_upgrade(chart: Chart) -> None:
    job = chart.render()["Job"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert container(job["spec"]["template"]["spec"])["args"] == ["topics", "apply"]


def test_the_hook_needs_nothing_the_chart_makes_later(chart: Chart) -> None:
    rendered = chart.render()
    pod = rendered["Job"]["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] != rendered["ServiceAccount"]["metadata"]["name"]
    assert "persistentVolumeClaim" not in str(pod["volumes"])


def test_a_plain_job_is_a_new_one_when_it_changes(chart: Chart) -> None:
    values = {"topics": {"job": {"hook": False}}}
    first = chart.render(values)["Job"]["metadata"]
    again = chart.render(values)["Job"]["metadata"]
    changed = chart.render(values | {"image": {"tag": "2"}})["Job"]["metadata"]
    assert "annotations" not in first
    assert first["name"] == again["name"] != changed["name"]


def test_either_the_job_or_the_workers_apply(chart: Chart) -> None:
    with_job = chart.render()
    without = chart.render({"topics": {"job": {"enabled": False}}})
    assert environment(with_job.worker)["HEADRACE_TOPICS_AUTO_APPLY"] == "false"
    assert environment(without.worker)["HEADRACE_TOPICS_AUTO_APPLY"] == "true"
    assert without.all("Job") == []


def test_the_job_sees_the_same_kafka_and_tasks(chart: Chart) -> None:
    for variant in VARIANTS:
        rendered = chart.render(variant=variant)
        for job in rendered.all("Job"):
            of_job = environment(job["spec"]["template"]["spec"])
            assert of_job.items() <= environment(rendered.worker).items()
            assert {"HEADRACE_BOOTSTRAP_SERVERS", "HEADRACE_APP_ID", "HEADRACE_TASK_MODULES"} <= of_job.keys()
