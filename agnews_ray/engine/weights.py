"""A model's parameters laid end to end: one buffer to update, clip, cast and exchange.

Matrices (which decay) and vectors (biases and LayerNorm, which do not) make one segment each.
What the fused blocks use comes first and is mirrored in the precision of the matrix products, so
that nothing is cast in a step but the whole mirror, once.
"""

from collections.abc import Sequence

import torch
import torch.distributed as dist

from agnews_ray.engine.exchange import shared_buffers
from agnews_ray.engine.results import Rank


class Segment:
    """Parameters laid end to end in float32; each becomes a view, and so does its gradient.

    Args:
        parameters: in the order in which they are laid out.
        num_mirrored: the first so many of them are mirrored.
        dtype: of the mirror; float32 needs none, and values and gradients stand for it.
        rank: ranks of one machine share the mirror's gradients.
    """

    def __init__(
        self,
        parameters: Sequence[torch.Tensor],
        num_mirrored: int,
        dtype: torch.dtype,
        rank: Rank,
    ) -> None:
        self._parameters = list(parameters)
        self._starts: dict[torch.Tensor, int] = {}
        end = 0
        for index, parameter in enumerate(self._parameters):
            self._starts[parameter] = end
            end += parameter.numel()
            if index == num_mirrored - 1:
                self.num_mirrored_elements = end
        if num_mirrored == 0:
            self.num_mirrored_elements = 0
        none = torch.zeros(0, device=rank.device)  # there may be no parameter of this kind
        flat = torch.cat([none, *(p.detach().float().reshape(-1) for p in self._parameters)])
        self.values = torch.nn.Parameter(flat)
        self.values.grad = self.gradient = torch.zeros_like(flat)
        for parameter, start in self._starts.items():
            stop = start + parameter.numel()
            parameter.data = flat[start:stop].view_as(parameter)
            parameter.grad = self.gradient[start:stop].view_as(parameter)
        mirrored = flat[: self.num_mirrored_elements]
        self.has_mirror = dtype != torch.float32
        self.mirror = mirrored.to(dtype) if self.has_mirror else mirrored
        self._shared = shared_buffers(self.num_mirrored_elements, dtype, rank)
        if self._shared:
            self.mirror_gradient = self._shared[rank.index]
        elif self.has_mirror:
            self.mirror_gradient = torch.zeros_like(self.mirror)
        else:
            self.mirror_gradient = self.gradient[: self.num_mirrored_elements]

    @property
    def is_shared(self) -> bool:
        """Whether ``collect`` adds up the mirror's gradient over all ranks."""
        return bool(self._shared)

    def span(self, parameters: Sequence[torch.Tensor]) -> slice:
        """Say where parameters that follow each other lie.

        Args:
            parameters: neighbours, in order.

        Returns:
            The elements' range.
        """
        start = self._starts[parameters[0]]
        return slice(start, start + sum(parameter.numel() for parameter in parameters))

    def refresh(self) -> None:
        """Cast the values into the mirror."""
        if self.has_mirror:
            self.mirror.copy_(self.values.detach()[: self.num_mirrored_elements])

    def collect(self) -> None:
        """Cast the mirror's gradient into the segment's, summed over ranks where it is shared."""
        collected = self.gradient[: self.num_mirrored_elements]
        if self._shared:
            collected.copy_(self._shared[0])
            for other in self._shared[1:]:
                collected.add_(other)
            dist.barrier()  # before anybody overwrites what another still reads
        elif self.has_mirror:
            collected.copy_(self.mirror_gradient)

    def release(self) -> None:
        """Give the parameters memory of their own again, and no gradients."""
        for parameter in self._parameters:
            parameter.data, parameter.grad = parameter.data.clone(), None
