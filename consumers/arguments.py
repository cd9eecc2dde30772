"""The arguments of a plain task, validated against its function's parameters when enqueued and when run.

Built from the signature as a typed dictionary, so that parameters may have any name.
"""

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NotRequired

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic_core import PydanticSerializationError
from typing_extensions import TypedDict  # pydantic takes none from `typing` before Python 3.12

from consumers.errors import InvalidArguments
from consumers.validation import describe


class Arguments:
    """Reads and writes the arguments of one function. Raises `ValueError` when it cannot be a task."""

    def __init__(self, function: Callable[..., Any], *, task: str) -> None:
        self._task = task
        self._names = [
            parameter.name
            for parameter in parameters_after_context(function)
            if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        ]
        self._adapter: TypeAdapter[dict[str, Any]] = TypeAdapter(_typed_dict(function))
        self._some: TypeAdapter[dict[str, Any]] | None = None
        self._function = function

    def named(self, given: Sequence[Any]) -> dict[str, Any]:
        """Arguments given by place, by their names. Raises InvalidArguments for one too many."""
        if len(given) > len(self._names):
            takes = ", ".join(self._names) or "none"
            raise InvalidArguments(
                f"arguments of task {self._task!r}: {len(given)} by place, it takes {takes}"
            )
        return dict(zip(self._names, given, strict=False))

    def parse(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """The keyword arguments to call with; defaults are left to the function. Raises InvalidArguments."""
        return self._parse(self._adapter, args)

    def dump(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as JSON values, to be sent. Raises InvalidArguments."""
        return self._dump(self._adapter, args)

    def dump_some(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """The same for only some of them. Raises InvalidArguments."""
        if self._some is None:
            self._some = TypeAdapter(_typed_dict(self._function, some=True))
        return self._dump(self._some, args)

    def first_free(self, args: Mapping[str, Any]) -> str:
        """The first parameter `args` do not give, those with defaults included. Raises InvalidArguments."""
        for parameter in parameters_after_context(self._function):
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD and parameter.name not in args:
                return parameter.name
        raise InvalidArguments(
            f"arguments of task {self._task!r}: all are given, and none is left for the result of the step "
            "before; a step that takes none is task.si(…)"
        )

    def _dump(self, adapter: TypeAdapter[dict[str, Any]], args: Mapping[str, Any]) -> dict[str, Any]:
        try:
            dumped = adapter.dump_python(self._parse(adapter, args), mode="json")
        except PydanticSerializationError as error:
            raise InvalidArguments(f"arguments of task {self._task!r}: {error}") from None
        return typing.cast("dict[str, Any]", dumped)

    def schema(self) -> dict[str, Any] | None:
        """The JSON Schema of the arguments as one object; None when a type has none."""
        try:
            return self._adapter.json_schema()
        except PydanticInvalidForJsonSchema:
            return None

    def _parse(self, adapter: TypeAdapter[dict[str, Any]], args: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return adapter.validate_python(dict(args))
        except ValidationError as error:
            raise InvalidArguments(f"arguments of task {self._task!r}: {describe(error)}") from None


def parameters_after_context(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters after the context. Raises `ValueError` when there is no place for a context."""
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or parameters[0].kind not in (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    ):
        raise ValueError("its first parameter must be the context: `(ctx: Context, …)`")
    return parameters[1:]


def resolved(function: Callable[..., Any], parameters: list[inspect.Parameter]) -> dict[str, Any]:
    """The parameters' types, those written as text looked up. Raises `ValueError` for an unknown name."""
    written = {p.name: p.annotation for p in parameters if p.annotation is not inspect.Parameter.empty}
    namespace = getattr(inspect.unwrap(function), "__globals__", {})
    try:
        found = typing.get_type_hints(_Annotated(written), globalns=namespace, include_extras=True)
    except NameError as error:
        raise ValueError(
            f"the type of a parameter cannot be looked up when the worker runs: {error}"
        ) from None
    return {p.name: found.get(p.name, Any) for p in parameters}


class _Annotated:
    """Something `get_type_hints` reads annotations from, without those of the context."""

    def __init__(self, annotations: dict[str, Any]) -> None:
        self.__annotations__ = annotations


def _typed_dict(function: Callable[..., Any], *, some: bool = False) -> Any:
    parameters = parameters_after_context(function)
    fields: dict[str, Any] = {}
    extra: typing.Literal["allow", "forbid"] = "forbid"
    types = resolved(function, parameters)
    for parameter in parameters:
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            extra = "allow"
        elif parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.POSITIONAL_ONLY):
            raise ValueError(f"parameter {parameter.name!r}: arguments of a task are given by name")
        elif parameter.default is inspect.Parameter.empty and not some:
            fields[parameter.name] = types[parameter.name]
        else:
            fields[parameter.name] = NotRequired[types[parameter.name]]
    # Checkers want a literal here; this one is made from a signature.
    typed_dict = typing.cast("Any", TypedDict)("Arguments", fields)
    typed_dict.__pydantic_config__ = ConfigDict(extra=extra)
    return typed_dict
