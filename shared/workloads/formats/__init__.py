"""File formats of datasets. Each reader turns numbered lines into rows and reports what is wrong with which line."""
