"""A shortcut for what is made for every job."""

from typing import Final

new_tuple: Final = tuple.__new__
"""Makes a NamedTuple of its class and a tuple of all its fields, in a third of the time of a call."""
