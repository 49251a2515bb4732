"""A process that has loaded the programs' modules once, and forks a program for each start: a fork server.

Loading them takes seconds of processor time, a fork takes milliseconds. The fork server of `multiprocessing` would not
do: its children load the test process's main module, end without `atexit` and turn SIGINT into exit code 1.
"""
