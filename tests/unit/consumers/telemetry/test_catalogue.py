import re

from prometheus_client import CollectorRegistry

from consumers.telemetry.catalogue import LABELS, PREFIX, Kind, Metric, table
from consumers.telemetry.histogram import BatchHistogram
from consumers.telemetry.metrics import Metrics

ABOUT_THE_BUILD = {"version", "release"}


def test_names_follow_the_rules() -> None:
    for metric in Metric:
        spec = metric.value
        assert re.fullmatch(PREFIX + r"[a-z]+(_[a-z]+)*", spec.name)
        assert spec.name.endswith("_total") == (spec.kind is Kind.COUNTER)
        assert not re.search(r"_(ms|millis|minutes|kb|percent)\b", spec.name)
        if spec.kind is Kind.HISTOGRAM:
            assert spec.name.endswith("_seconds")
            assert list(spec.buckets) == sorted(set(spec.buckets))
        assert spec.help.endswith(".")


def test_labels_are_few_and_known() -> None:
    for metric in Metric:
        allowed = ABOUT_THE_BUILD if metric is Metric.BUILD_INFO else LABELS
        assert set(metric.value.labels) <= allowed, metric


def test_job_buckets_reach_from_milliseconds_to_an_hour() -> None:
    assert Metric.JOB_DURATION.value.buckets[0] == 0.005
    assert Metric.JOB_DURATION.value.buckets[-1] == 3600


def test_every_metric_of_the_catalogue_is_there_and_no_other() -> None:
    served = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in Metrics().registry.collect()
        if not family.name.startswith("process_")
    }
    assert served == {metric.value.name for metric in Metric}


def test_the_table_names_every_metric() -> None:
    assert all(metric.value.name in table() for metric in Metric)
    assert "| `headrace_jobs_finished_total{task,outcome}` | counter |" in table()


def test_a_batch_lands_in_the_buckets_prometheus_expects() -> None:
    registry = CollectorRegistry()
    series = BatchHistogram(Metric.SETTLE_SECONDS.value, registry=registry).labels()
    series.observe([40.0, 0.001, -3.0, 0.0011, 0.25])
    series.observe([])

    def bucket(bound: str) -> float | None:
        return registry.get_sample_value("headrace_settle_seconds_bucket", {"le": bound})

    assert [bucket("0.001"), bucket("0.0025"), bucket("0.1"), bucket("0.25"), bucket("+Inf")] == [
        2,
        3,
        3,
        4,
        5,
    ]
    assert registry.get_sample_value("headrace_settle_seconds_count") == 5
    assert registry.get_sample_value("headrace_settle_seconds_sum") == 40.0 + 0.001 + 0.0011 + 0.25
