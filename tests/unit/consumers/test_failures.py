import traceback

from consumers.decorators import task
from consumers.failures import failure_of
from consumers.registry import Registry, using
from schemas.deadletter import MESSAGE_LIMIT_CHARACTERS, STACK_LIMIT_CHARACTERS


def raised(action):
    try:
        action()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


class Odd(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def test_it_says_class_message_and_lines():
    failure = failure_of(raised(lambda: {}["missing"]))
    assert (failure.type, failure.message) == ("KeyError", "'missing'")
    assert __file__ in failure.stack
    assert failure.stack.endswith("KeyError: 'missing'\n")
    assert failure_of(Odd()).type == f"{__name__}.Odd"


def test_what_has_no_text_is_said_to_have_none():
    assert "RuntimeError" in failure_of(Odd()).message


def test_long_and_broken_texts_are_bounded():
    failure = failure_of(ValueError("x" * 100_000 + "\ud800"))
    assert len(failure.message) == MESSAGE_LIMIT_CHARACTERS
    assert failure_of(ValueError("\ud800")).message.encode()

    def deep(n):
        return deep(n - 1) if n else 1 / 0

    assert len(failure_of(raised(lambda: deep(500))).stack) <= STACK_LIMIT_CHARACTERS


def test_the_stack_begins_at_the_handler():
    with using(Registry()):

        @task
        def fails(ctx):
            raise ValueError("here")

    caught = raised(lambda: fails.invoke(None, None, {}))
    inner = caught.__traceback__.tb_next.tb_next  # what the engine sees begins in our own files
    stack = failure_of(caught.with_traceback(inner)).stack
    assert stack.count("File ") == 1
    assert "in fails" in stack
    assert 'raise ValueError("here")' in stack


def test_causes_are_told():
    def chained():
        try:
            raise KeyError("first")
        except KeyError as error:
            raise ValueError("second") from error

    def while_handling():
        try:
            raise KeyError("first")
        except KeyError:
            raise ValueError("second")  # noqa: B904

    assert "caused by" in failure_of(raised(chained)).stack
    stack = failure_of(raised(while_handling)).stack
    assert stack.index("second") < stack.index("while handling") < stack.index("KeyError: 'first'")


def test_no_frame_is_kept_alive():
    error = raised(lambda: 1 / 0)
    failure = failure_of(error)
    assert not any(
        isinstance(value, BaseException) for value in (failure.type, failure.message, failure.stack)
    )
    assert traceback.format_exception(error)  # untouched
