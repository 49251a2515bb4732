"""Servers, stacks and scripted peers that tests use."""
