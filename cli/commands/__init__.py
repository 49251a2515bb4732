"""One module for each command, or for each noun with several. They import what is heavy when they are called."""
