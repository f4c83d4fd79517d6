"""Every figure that is quoted, one command each: `python -m benchmarks.NAME`, with `--json` one JSON object."""
