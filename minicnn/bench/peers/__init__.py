"""Other engines, run by their own Python in a process of its own: nothing here imports the rest of minicnn."""
