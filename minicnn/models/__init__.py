"""Models: graphs of layers that train, predict, save and load.

Read in this order: `graph.py` (layers in Keras' order, and the program they make), `network.py` (a graph as
a layer), `model.py` and `sequential.py` (what users call), `fitting.py`, `evaluation.py`, `compute.py`, `features.py`
(training), `plan/` (prediction), `config_reading.py` and `weight_files.py` (files).
"""

from .config_reading import model_from_config, model_from_json
from .model import Model
from .sequential import Sequential
from .weight_files import load_model

__all__ = ["Model", "Sequential", "load_model", "model_from_config", "model_from_json"]
