"""What a result is made into: text, files and pictures."""
