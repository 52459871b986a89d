"""Many tiles: found in a folder, counted in worker processes, kept in a history, joined to passes."""
