"""What runs have measured, and what is made of it: pages, exports, charts, comparisons, histories."""
