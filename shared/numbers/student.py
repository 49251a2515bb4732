"""Quantiles of Student's t, for intervals of means and of shares in groups. Rules on CI runs use them."""

_Z95 = 1.959963984540054
# Two-sided 95 % quantiles for 1, 2, … degrees of freedom.
_T95 = (
    *(12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281),
    *(2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860),
)


def student_t95(degrees: int) -> float:
    """The two-sided 95 % quantile. Beyond the table it is the start of a series, exact to four digits."""
    if degrees < 1:
        raise ValueError(f"{degrees} degrees of freedom")
    if degrees <= len(_T95):
        return _T95[degrees - 1]
    # Abramowitz and Stegun 26.7.5.
    return (
        _Z95
        + (_Z95**3 + _Z95) / (4 * degrees)
        + (5 * _Z95**5 + 16 * _Z95**3 + 3 * _Z95) / (96 * degrees**2)
        + (3 * _Z95**7 + 19 * _Z95**5 + 17 * _Z95**3 - 15 * _Z95) / (384 * degrees**3)
    )
