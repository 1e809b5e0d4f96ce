"""CUDA graphs in values, on a CPU: what a step launches is noted and played again, without Python.

A recording undoes what it did, as capturing computes nothing. What a CUDA graph refuses, to ask for
a value, is refused here too.
"""

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

ASKING = ("_local_scalar_dense", "nonzero", "masked_select", "unique")


class _Notes(TorchDispatchMode):
    """Notes every operation below autograd, and what it writes over."""

    def __init__(self):
        super().__init__()
        self.operations = []
        self._made, self._before = set(), {}
        self._held = []  # or another tensor would come to lie where a noted one was

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if any(name in str(operation) for name in ASKING):
            raise RuntimeError(f"{operation} is not permitted when stream is capturing")
        for tensor in _written(operation, args, kwargs):
            memory = tensor.untyped_storage()
            if memory.data_ptr() not in self._made | self._before.keys():
                self._before[memory.data_ptr()] = (memory, _bytes_of(memory).clone())
        result = operation(*args, **kwargs)
        is_view = any(one.alias_info is not None for one in operation._schema.returns)
        if not is_view:
            self._made |= {one.untyped_storage().data_ptr() for one in _tensors(result)}
        self._held.append(_tensors(result))
        self.operations.append((operation, args, kwargs, result, is_view))
        return result

    def undo(self):
        for memory, before in self._before.values():
            _bytes_of(memory).copy_(before)


class ValueRecorder:
    """Stands in for ``CudaRecorder``; counts what it recorded and played."""

    def __init__(self):
        self.num_recorded = self.num_replayed = 0

    def __call__(self, run):
        random = torch.get_rng_state()
        with _Notes() as notes:
            run()
        notes.undo()
        torch.set_rng_state(random)
        self.num_recorded += 1

        def replay():
            self.num_replayed += 1
            with torch.no_grad():
                for operation, args, kwargs, noted, is_view in notes.operations:
                    again = operation(*args, **kwargs)
                    if is_view:
                        continue
                    for old, new in zip(_tensors(noted), _tensors(again), strict=True):
                        if old.data_ptr() != new.data_ptr():
                            old.copy_(new)

        return replay


def run_again(run):
    """Stands in for a recorder that records nothing: the step's Python runs each time."""
    return run


def broken(run):
    """Stands in for a recorder on a GPU that cannot."""
    raise RuntimeError("operation not permitted when stream is capturing")


def _written(operation, args, kwargs):
    for position, argument in enumerate(operation._schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            given = args[position] if position < len(args) else kwargs.get(argument.name)
            yield from _tensors(given)


def _tensors(values):
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, torch.Tensor)]


def _bytes_of(memory):
    return torch.tensor([], dtype=torch.uint8).set_(memory)
