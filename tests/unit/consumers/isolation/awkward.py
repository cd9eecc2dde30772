"""An exception that does not travel. In a module of its own: importing `handlers` registers tasks."""


class Awkward(ValueError):
    """Cannot be pickled back: it wants two arguments and remembers one."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(what)
        self.why = lambda: why
