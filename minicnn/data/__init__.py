"""Labelled pictures: reading files and folders of them, dividing, changing, and handing them over in batches."""

from minicnn.data import augment
from minicnn.data.dataset import ArrayDataset, Dataset
from minicnn.data.folder import pictures_below, scan_folder
from minicnn.data.images import Picture, read_image
from minicnn.data.labelled import LabelledFiles, label_files
from minicnn.data.load import LoadedImages, check_images, file_hashes, image_batches, load_images
from minicnn.data.pictures import ImageArrays, ImageFolder
from minicnn.data.problems import ImageError, ImageNote, ImageProblem
from minicnn.data.remarks import split_remarks
from minicnn.data.split import Split, conflicts, duplicates, leaks, stratified_folds, stratified_split
from minicnn.data.table import read_table
from minicnn.preparation import Preparation
from minicnn.preparation.resize import ResizeRule

__all__ = [
    "ArrayDataset",
    "Dataset",
    "ImageArrays",
    "ImageError",
    "ImageFolder",
    "ImageNote",
    "ImageProblem",
    "LabelledFiles",
    "LoadedImages",
    "Picture",
    "Preparation",
    "ResizeRule",
    "Split",
    "augment",
    "check_images",
    "conflicts",
    "duplicates",
    "file_hashes",
    "image_batches",
    "label_files",
    "leaks",
    "load_images",
    "pictures_below",
    "read_image",
    "read_table",
    "scan_folder",
    "split_remarks",
    "stratified_folds",
    "stratified_split",
]
