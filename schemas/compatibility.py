"""May a schema change under the same version? Two JSON Schemas in, a sentence for each reason against out.

A change is compatible when everything that was valid stays valid and nothing readers count on goes away: new
optional fields and wider types are; removed fields, new required ones and narrower types are not.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]

_LOWER_BOUNDS: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER_BOUNDS: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_ONE_FORM: Final = ("format", "pattern", "const", "multipleOf", "uniqueItems", "contentEncoding")


def incompatibilities(old: Schema, new: Schema) -> list[str]:
    """Why publishers or readers of the `old` schema would suffer under the `new` one. Empty: they do not."""
    return list(_Comparison(old, new).compare(old, new, "data"))


class _Comparison:
    def __init__(self, old: Schema, new: Schema) -> None:
        self._old_definitions = old.get("$defs", {})
        self._new_definitions = new.get("$defs", {})
        self._under_way: set[tuple[str, str]] = set()

    def compare(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        new_forms = _forms(new, self._new_definitions)
        for old_form in _forms(old, self._old_definitions):
            findings = [list(self._compare_form(old_form, new_form, path)) for new_form in new_forms]
            yield from min(findings, key=len)

    def _compare_form(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        names = (old.get("$ref", ""), new.get("$ref", ""))
        if names in self._under_way:  # a model that contains itself
            return
        if all(names):
            self._under_way.add(names)
        yield from self._compare_types(old, new, path)
        self._under_way.discard(names)

    def _compare_types(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        old_types, new_types = _types(old), _types(new)
        if new_types and not (old_types and old_types <= new_types):
            yield f"{path}: was {_named(old_types)}, is {_named(new_types)}"
            return
        yield from _narrower(old, new, path)
        yield from self._compare_fields(old, new, path)
        if "items" in new:
            yield from self.compare(old.get("items", {}), new["items"], f"{path}[]")
        if isinstance(new.get("additionalProperties"), Mapping):
            yield from self.compare(_additional(old), new["additionalProperties"], f"{path}.*")

    def _compare_fields(self, old: Schema, new: Schema, path: str) -> Iterator[str]:
        old_fields, new_fields = old.get("properties", {}), new.get("properties", {})
        for name, field in old_fields.items():
            if name in new_fields:
                yield from self.compare(field, new_fields[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}: removed"
        for name in new.get("required", ()):
            if name not in old_fields:
                yield f"{path}.{name}: new and required"
            elif name not in old.get("required", ()):
                yield f"{path}.{name}: was optional, is required"
        if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
            yield f"{path}: unknown fields were allowed, are refused"


def _forms(schema: Schema, definitions: Schema) -> list[Schema]:
    """The alternatives of a schema. A reference is followed, and stays to tell where it led."""
    if "$ref" in schema:
        schema = {**definitions[schema["$ref"].removeprefix("#/$defs/")], **schema}
    alternatives = schema.get("anyOf") or schema.get("oneOf")
    if not alternatives:
        return [schema]
    return [form for alternative in alternatives for form in _forms(alternative, definitions)]


def _types(schema: Schema) -> frozenset[str]:
    """The JSON types a schema names; empty: any. An integer is a number."""
    named = schema.get("type", ())
    types = frozenset([named] if isinstance(named, str) else named)
    return types | {"integer"} if "number" in types else types


def _named(types: frozenset[str]) -> str:
    return " or ".join(sorted(types - {"integer"} if "number" in types else types)) or "anything"


def _narrower(old: Schema, new: Schema, path: str) -> Iterator[str]:
    for bound, worse in (*((name, 1) for name in _LOWER_BOUNDS), *((name, -1) for name in _UPPER_BOUNDS)):
        if bound in new and (bound not in old or (new[bound] - old[bound]) * worse > 0):
            yield f"{path}: {bound} was {old.get(bound, 'none')}, is {new[bound]}"
    for name in _ONE_FORM:
        if name in new and new[name] != old.get(name):
            yield f"{path}: {name} was {old.get(name, 'none')}, is {new[name]}"
    if "enum" in new:
        values = old.get("enum", [old["const"]] if "const" in old else None)
        if values is None:
            yield f"{path}: was any value, is one of {new['enum']}"
        elif gone := [value for value in values if value not in new["enum"]]:
            yield f"{path}: no longer allows {gone}"


def _additional(schema: Schema) -> Schema:
    value = schema.get("additionalProperties", {})
    return value if isinstance(value, Mapping) else {}
