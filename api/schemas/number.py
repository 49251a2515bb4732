"""Computed numbers, as answers show them."""

from typing import Annotated

from pydantic import AfterValidator

from shared.numbers.rounding import rounded

Number = Annotated[float, AfterValidator(rounded)]
