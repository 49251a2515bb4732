"""What a benchmark is: its spec, its record of each request, the rules of its life. Pure: no I/O."""
