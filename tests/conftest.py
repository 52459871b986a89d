"""Before any test is read."""

import os

# As the command line does: numpy's threads wait for each other where several tests run, and a
# scan of 0.6 s takes 14. Must be set before numpy loads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
