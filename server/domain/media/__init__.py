"""Files that technicians send: what they are by their bytes, and what may be shown of them. Pure.

`python -m server.domain.media` judges a file in a process of its own: decoders meet strangers' bytes, and what brings
one down must not bring the server down.
"""
