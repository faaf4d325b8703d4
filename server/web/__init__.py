"""The pages: the office's shell and the technician's tablet, served as they are in the repository."""
