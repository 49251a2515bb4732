"""Sweeps and searches: loads that are measured one after another, chosen by what the ones before showed."""
