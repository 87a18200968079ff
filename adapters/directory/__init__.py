"""Where members come from: files of other directories."""
