"""Models as the runtime would have them, kept in a file and not worked out at each start."""

import contextlib
import importlib
from collections.abc import Callable, Iterator
from pathlib import Path

import onnxruntime as ort
from loguru import logger

from pipelines.cache import cache_folder
from puppet.draft import drafted

# What follows from the model alone, on whatever processor; the runtime adds the rest when it loads.
LEVEL = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
ERRORS = 3


def _errors_of_runtime() -> Iterator[type[Exception]]:
    """They have nothing in common but their module."""
    home = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    for each in vars(home).values():
        if isinstance(each, type) and issubclass(each, Exception):
            yield each


# What comes of a file that cannot be read or written.
FAILURES = (OSError, RuntimeError, *_errors_of_runtime())


def optimized(name: str, model: Callable[[], bytes]) -> ort.InferenceSession:
    """A model that runs from its file, made once from what `model` gives; else from that itself.

    `name` changes with the model, and the file with the runtime. A file that cannot be read is
    made anew the next time.
    """
    path = cache_folder() / f"{name}-{ort.__version__}.onnx"
    try:
        if not path.is_file():
            _make(path, model())
        return _session(str(path))
    except FAILURES as error:
        logger.debug(f"The model {name} runs without its file: {error}")
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
    return _session(model())


def _session(model: str | bytes) -> ort.InferenceSession:
    """A model that runs in one thread and keeps no memory for the next time."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level, options.enable_cpu_mem_arena = ERRORS, False
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _make(path: Path, model: bytes) -> None:
    """Write the file. Raises: OSError, and what the runtime raises where it cannot write."""
    with drafted(path) as draft:
        options = ort.SessionOptions()
        options.graph_optimization_level, options.log_severity_level = LEVEL, ERRORS
        options.optimized_model_filepath = str(draft)
        ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
