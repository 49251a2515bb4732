"""What every long-running program needs: limits, logs, monitoring, traces, ending tasks."""
