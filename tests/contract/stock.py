"""Looks at the parts of Faust, aiokafka and rocksdict that the product reaches into.

They are no public interface: any release may change them without a word. A failure names the file of ours to
read again before the new version is pinned.
"""

import inspect
import re
from typing import Any


class Stock:
    """The stock code that one file of ours relies on."""

    def __init__(self, ours: str) -> None:
        self.ours = ours

    def holds(self, fact: bool, what: str) -> None:
        """Fail with the name of our file unless `fact` is true."""
        assert fact, f"{what}. Read {self.ours} again before this version is used."

    def has(self, owner: Any, *names: str) -> None:
        """The owner, a class or module, has these names."""
        for name in names:
            self.holds(hasattr(owner, name), f"{_named(owner)} has no {name!r} any more")

    def sets(self, owner: type, *names: str) -> None:
        """Instances get these attributes when they are made."""
        source = inspect.getsource(owner.__init__)  # type: ignore[misc]
        for name in names:
            found = re.search(rf"self\.{name}\b(: [^=\n]+)? = ", source)
            self.holds(found is not None, f"{_named(owner)}.__init__ does not set {name!r} any more")

    def takes(self, function: Any, *names: str) -> None:
        """The parameters behind `self` are these, in this order."""
        found = tuple(name for name in inspect.signature(function).parameters if name != "self")
        self.holds(found == names, f"{_named(function)} takes {found}, not {names}")

    def accepts(self, function: Any, *names: str) -> None:
        """Arguments of these names may be given."""
        missing = set(names) - inspect.signature(function).parameters.keys()
        self.holds(not missing, f"{_named(function)} does not take {sorted(missing)} any more")

    def says(self, owner: Any, *fragments: str) -> None:
        """The source holds these fragments in this order; how lines are broken does not matter."""
        source, at = _squeezed(inspect.getsource(owner)), 0
        for fragment in fragments:
            at = source.find(_squeezed(fragment), at)
            self.holds(at >= 0, f"the source of {_named(owner)} does not say {fragment!r} where it did")


def _squeezed(source: str) -> str:
    return re.sub(r"\s+", "", source)


def _named(thing: Any) -> str:
    name = getattr(thing, "__qualname__", None)
    return f"{thing.__module__}.{name}" if name else str(getattr(thing, "__name__", thing))
