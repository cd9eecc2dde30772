"""How long-running processes collect garbage."""

import gc


def collect_seldom(growth: int = 50_000) -> None:
    """Leave what was loaded by now alone for good, and look only when `growth` more objects came than went.

    What is in flight is no garbage, and looking at it costs more than making it: `growth` should be above
    what comes and goes with the load. Whoever looks that seldom calls `gc.collect()` now and then as well.
    """
    gc.freeze()
    gc.set_threshold(growth, 20, 50)
