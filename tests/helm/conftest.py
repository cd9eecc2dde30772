"""One Helm for all tests of the chart."""

import pytest

from tests.helm.chart import Chart, installed_chart


@pytest.fixture(scope="session")
def chart() -> Chart:
    return installed_chart()
