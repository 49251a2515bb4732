"""One module for each command or group of commands. Commands import slow modules only when they are called."""
