import datetime as dt

import httpx2
import pytest

from consumers import Fail, Retry
from consumers.tasks.exchange import judge, retry_after_seconds

NOW = dt.datetime(2013, 1, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("120", 120),
        (" 0 ", 0),
        ("9" * 400, None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("²", None),
        ("Tue, 01 Jan 2013 12:02:00 GMT", 120),
        ("Tue, 01 Jan 2013 12:02:00 -0000", 120),
        ("Tuesday, 01-Jan-13 12:02:00 GMT", 120),
        ("Tue Jan  1 12:02:00 2013", 120),
        ("Tue, 01 Jan 2013 11:00:00 GMT", 0),
        ("Tue, 99 Jan 2013 11:00:00 GMT", None),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NOW) == seconds


def answer(status: int, **headers: str) -> httpx2.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(
        status, headers=named, request=httpx2.Request("POST", "http://airline/hook?token=t")
    )


@pytest.mark.parametrize("status", [200, 201, 204])
def test_success_settles(status: int) -> None:
    judge(answer(status), now=NOW, longest_wait_seconds=60)


@pytest.mark.parametrize("status", [301, 304, 400, 401, 404, 409, 422])
def test_a_no_is_final_and_hides_the_query(status: int) -> None:
    with pytest.raises(Fail) as failure:
        judge(answer(status, retry_after="5"), now=NOW, longest_wait_seconds=60)
    assert f"POST http://airline/hook answered {status}" in str(failure.value)
    assert "token" not in str(failure.value)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_not_now_is_tried_again(status: int) -> None:
    for header, seconds in ((None, None), ("7", 7), ("Tue, 01 Jan 2013 12:00:30 GMT", 30), ("86400", 60)):
        with pytest.raises(Retry) as retry:
            judge(
                answer(status, **({"retry_after": header} if header else {})),
                now=NOW,
                longest_wait_seconds=60,
            )
        assert retry.value.defer == seconds
        assert str(status) in retry.value.reason
