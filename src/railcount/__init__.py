"""Counts railcars in satellite images of rail yards."""
