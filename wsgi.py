"""The production entry point: `gunicorn wsgi:app`."""

import gc

from server.app import create_app

app = create_app()

# What was made so far lives as long as the process. A push makes thousands of small objects and lets all of them go;
# looking through the whole program for rings each time took a fifth of its time.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 20, 20)
