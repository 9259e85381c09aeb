"""Prediction plans: trace a program once, fuse its operations, reuse its buffers."""

from .plan import Plan

__all__ = ["Plan"]
