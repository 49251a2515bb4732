"""What the charts of a benchmark show, computed from its results. Pure: rows in, a JSON document out."""
