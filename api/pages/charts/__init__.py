"""Draws charts as SVG. Pure: values in, markup out. A strict CSP holds: no `style`, no script, classes only."""
