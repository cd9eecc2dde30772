import asyncio

import pytest

from consumers.failures import failure_of
from consumers.isolation.travelling import pack_error, pack_result, unpack_error, unpack_result
from consumers.verdicts import Retry
from tests.unit.consumers.isolation.awkward import Awkward


def travelled(error):
    return unpack_error(pack_error(error))


def test_an_exception_arrives_as_itself_and_tells_what_it_told():
    error = travelled(Retry("later", defer=7))
    assert type(error) is Retry
    assert (error.reason, error.defer, error.count) == ("later", 7, True)


def test_one_that_cannot_be_pickled_arrives_as_its_class():
    original = Awkward("no good", "because")
    error = travelled(original)
    assert type(error) is Awkward
    assert failure_of(error) == failure_of(original)


def test_one_of_a_class_nobody_can_import_arrives_as_its_base():
    class Local(KeyError):
        pass

    error = travelled(Local("x"))
    assert type(error) is KeyError
    assert failure_of(error).type.endswith("Local")


@pytest.mark.parametrize("error", [StopIteration(1), StopAsyncIteration(), asyncio.CancelledError()])
def test_one_that_would_mean_something_else_here_does_not(error):
    arrived = travelled(error)
    assert type(arrived) is RuntimeError
    assert failure_of(arrived) == failure_of(error)


def test_a_result_arrives_as_json_and_another_keeps_the_name_of_its_type():
    assert unpack_result(pack_result({"a": (1, 2)})) == {"a": [1, 2]}
    assert type(unpack_result(pack_result(travelled))).__name__ == "function"
