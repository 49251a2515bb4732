"""Files that come and go: exports, imports, uploads."""
