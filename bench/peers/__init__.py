"""Other sync servers under the load of `bench/load.py`, each in an environment that is made for the run."""
