"""Every figure that is quoted: `python -m benchmarks.NAME` prints a table, with `--json` one JSON object."""
