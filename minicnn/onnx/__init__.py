"""Networks as ONNX files, for ONNX Runtime and others.  Needs the package onnx: pip install onnx."""

from .export import export, to_onnx

__all__ = ["export", "to_onnx"]
