"""Models as the runtime would have them, kept in a file and not worked out at each start."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import onnxruntime as ort
from loguru import logger

from pipelines.cache import cache_folder

# What follows from the model alone, on whatever processor; the runtime adds the rest when it loads.
LEVEL = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
ERRORS = 3


def optimized(name: str, model: Callable[[], bytes]) -> str | bytes:
    """The file of a model, made once from what `model` gives; that itself where none can be made.

    `name` changes with the model, and the file with the runtime.
    """
    path = cache_folder() / f"{name}-{ort.__version__}.onnx"
    if path.is_file():
        return str(path)
    whole = model()
    try:
        _make(path, whole)
    except OSError as error:
        logger.debug(f"The model {name} is optimized at each start: {error}")
        return whole
    return str(path)


def session(model: str | bytes) -> ort.InferenceSession:
    """A model that runs in one thread and keeps no memory for the next time."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level, options.enable_cpu_mem_arena = ERRORS, False
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _make(path: Path, model: bytes) -> None:
    """Write the file in one step, since other processes may open or make it at this moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    number, draft = tempfile.mkstemp(dir=path.parent, prefix=path.stem)
    os.close(number)
    try:
        options = ort.SessionOptions()
        options.graph_optimization_level, options.log_severity_level = LEVEL, ERRORS
        options.optimized_model_filepath = draft
        ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        os.replace(draft, path)
    finally:
        Path(draft).unlink(missing_ok=True)
