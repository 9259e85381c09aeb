"""Callbacks: what runs at the turning points of a training.  Names, arguments and hooks are Keras 3's."""

from minicnn.callbacks.averaging import SwapEMAWeights
from minicnn.callbacks.backup import BackupAndRestore, resumable
from minicnn.callbacks.callback import Callback, LambdaCallback
from minicnn.callbacks.callback_list import CallbackList
from minicnn.callbacks.checkpoint import ModelCheckpoint
from minicnn.callbacks.history import CSVLogger, History
from minicnn.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from minicnn.callbacks.mlflow import MLflow
from minicnn.callbacks.stopping import EarlyStopping, TerminateOnNaN
from minicnn.callbacks.tensorboard import TensorBoard

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "MLflow",
    "ModelCheckpoint",
    "ReduceLROnPlateau",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
    "resumable",
]
