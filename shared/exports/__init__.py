"""Formats in which data leaves the service: tables, JSON documents, Parquet files and reports of other tools. Pure."""
