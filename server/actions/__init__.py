"""What the system can do: one file for each use case, one transaction each."""
