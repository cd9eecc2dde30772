"""Which of two releases is the newer: what a lower one announces never replaces what a higher one did."""

import re
from typing import Final

_PART: Final = re.compile(r"\d+|[A-Za-z]+")

Order = tuple[tuple[int, int, str], ...]


def release_order(release: str) -> Order:
    """What releases are compared by: numbers within the text count as numbers, words by the alphabet.

    `1.9` < `1.10`; `v2` = `2` (a leading v says nothing); `2024-11-03.1` < `2024-11-03.2`. A word after
    numbers makes a release older than the same without it (`2.0-rc1` < `2.0` < `2.0.1`), as versions are
    written; case does not count. Commit hashes have no order: use a number or a date.
    """
    text = release.strip().lower()
    if re.match(r"v\d", text):
        text = text[1:]
    parts = [
        (2, int(part), "") if part.isdecimal() else (0, 0, part)
        for part in _PART.findall(text.partition("+")[0])
    ]
    return (*parts, (1, 0, ""))  # the end: after any word, before any further number


def is_older(release: str, other: str) -> bool:
    """Whether `release` comes before `other`."""
    return release_order(release) < release_order(other)
