"""Before any test is read."""

import os
import signal

# As the command line does: numpy's threads wait for each other where several tests run, and a
# scan of 0.6 s takes 14. Must be set before numpy loads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# A shell that starts a job in the background has it ignore Ctrl-C, and so all that the job starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
