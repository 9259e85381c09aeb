"""A reader for the part of HDF5 that Keras files use, in bounds-checked Python.

The HDF5 library was written for trusted files: random damage makes it crash or hang, and links, external and virtual
datasets let a file name other files.  This reader follows addresses inside one file and nothing else, so the worst
a file can do is to be refused.  Writing goes through h5py (`writer.py`, the only module that imports it).
"""

from .file import Group, HDF5File, is_hdf5

__all__ = ["Group", "HDF5File", "is_hdf5"]
