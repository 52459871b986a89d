"""``railcount review``: a page on this machine alone, where an analyst corrects a pass car by car."""
