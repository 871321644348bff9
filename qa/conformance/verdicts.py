"""How a case can fail: the unit broke a rule, or the unit is not there to be asked."""


class NonconformityError(Exception):
    """The unit did what the protocol does not allow; the text is one sentence."""


class UnitLostError(Exception):
    """The unit cannot be tried any further: gone, silent or locked; the text says why."""


def expect(holds: bool, sentence: str) -> None:  # noqa: FBT001 - reads like an assertion
    """Raise NonconformityError with ``sentence`` unless it holds."""
    if not holds:
        raise NonconformityError(sentence)
