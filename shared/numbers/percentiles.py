"""Which percentiles a distribution has. Not in `statistics`, so that the CLI need not import numpy."""

# How many values a percentile needs. With fewer, a "p99" would be just the maximum.
MIN_COUNT = {50: 1, 90: 10, 95: 20, 99: 100}
# Percentiles that have a confidence interval.
WITH_INTERVAL = (50, 95, 99)
