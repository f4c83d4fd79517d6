"""Real processes that deliver, and die at a chosen step: what the crash matrix and the torture share.

What runs in them is bot.posting itself, with its sender's child, on a real database; they post over a socket
to a place that lives in the process which kills them. Only the clock on the wall is the benchmark's own.
"""
