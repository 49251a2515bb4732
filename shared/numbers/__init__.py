"""What the numbers mean and how they are computed. Pure: no I/O, no clock."""
