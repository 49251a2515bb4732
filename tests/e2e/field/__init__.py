"""Answers as they were met in the field, each measured through the whole path: from bytes to the API's JSON."""
