"""How the processes of a gateway collect garbage."""

import gc


def collect_seldom() -> None:
    """Leave what was loaded by now alone for good, and look seldom: many small objects come and go."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
