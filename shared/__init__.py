"""What the programs agree on: settings, clock, database, queue, metric definitions, prices, errors."""
