"""What a cluster asks for on top reaches the pods that need it."""

from tests.helm.chart import VARIANTS, Chart, container, environment

(PLAIN_JOB,) = (path for path in VARIANTS if path.stem == "plain-job-values")
(SASL,) = (path for path in VARIANTS if path.stem == "sasl-values")


def test_extras_reach_workers_and_job_alike(chart: Chart) -> None:
    for template in chart.render(variant=PLAIN_JOB).pods():
        pod = template["spec"]
        assert environment(pod)["PYTHONPATH"] == "/tasks"
        assert container(pod)["envFrom"] == [{"secretRef": {"name": "smtp"}}]
        assert {"name": "tasks", "configMap": {"name": "tasks"}} in pod["volumes"]
        assert {"name": "tasks", "mountPath": "/tasks"} in container(pod)["volumeMounts"]


def test_scheduling_and_annotations(chart: Chart) -> None:
    rendered = chart.render(variant=PLAIN_JOB)
    assert rendered.worker["priorityClassName"] == "batch"
    assert rendered.worker["nodeSelector"] == {"kubernetes.io/os": "linux"}
    assert rendered.worker["tolerations"] == [{"key": "batch", "operator": "Exists"}]
    assert "podAntiAffinity" in rendered.worker["affinity"]
    template = rendered["StatefulSet"]["spec"]["template"]["metadata"]
    assert template["annotations"] == {"prometheus.io/scrape": "true"}
    assert template["labels"]["team"] == "flights"


def test_images_by_tag_and_by_digest(chart: Chart) -> None:
    tagged = chart.render({"image": {"repository": "registry.example/airline", "tag": "7"}})
    assert container(tagged.worker)["image"] == "registry.example/airline:7"
    assert environment(tagged.worker)["HEADRACE_RELEASE"] == "7"
    assert all("@sha256:" in container(pod["spec"])["image"] for pod in chart.render(variant=SASL).pods())


def test_shared_data_by_claim(chart: Chart) -> None:
    volumes = {volume["name"]: volume for volume in chart.render(variant=SASL).worker["volumes"]}
    assert volumes["data"]["persistentVolumeClaim"] == {"claimName": "reports"}


def test_names_stay_within_their_limits(chart: Chart) -> None:
    rendered = chart.render({"fullnameOverride": "a" * 70, "topics": {"job": {"hook": False}}})
    assert all(len(manifest["metadata"]["name"]) <= 63 for manifest in rendered.manifests)
    # A pod's revision label is the name and eleven characters more.
    assert len(rendered["StatefulSet"]["metadata"]["name"]) + 11 <= 63
