"""How many digits of a computed number are shown. For the API's schemas and for events."""

# Times are measured to the microsecond, three places of a millisecond. Means and rates get as many again.
PLACES = 6


def rounded(value: float) -> float:
    """The number without digits that say nothing, such as those of 205.34310000000008."""
    return round(value, PLACES)
