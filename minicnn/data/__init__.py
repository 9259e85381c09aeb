"""Labelled pictures: reading files and folders of them, dividing them, and handing them over in batches."""

from minicnn.data.dataset import ArrayDataset, Dataset, FolderDataset
from minicnn.data.folder import ImageFolder, pictures_below, scan_folder
from minicnn.data.images import Picture, read_image
from minicnn.data.load import LoadedImages, check_images, image_batches, load_images
from minicnn.data.problems import ImageError, ImageNote, ImageProblem
from minicnn.data.split import Split, conflicts, duplicates, leaks, stratified_folds, stratified_split
from minicnn.preparation.resize import ResizeRule

__all__ = [
    "ArrayDataset",
    "Dataset",
    "FolderDataset",
    "ImageError",
    "ImageFolder",
    "ImageNote",
    "ImageProblem",
    "LoadedImages",
    "Picture",
    "ResizeRule",
    "Split",
    "check_images",
    "conflicts",
    "duplicates",
    "image_batches",
    "leaks",
    "load_images",
    "pictures_below",
    "read_image",
    "scan_folder",
    "stratified_folds",
    "stratified_split",
]
