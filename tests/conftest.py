"""What holds for every test."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small matrices: torch's threads would only wait for each other
