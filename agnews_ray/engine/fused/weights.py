"""A model's parameters laid end to end: one buffer to update, clip, cast and exchange.

What decays (matrices, nearly always) makes one segment, what does not (vectors) another: see
``decay``.
What the fused blocks use comes first and is mirrored in the precision of the matrix products, so
that nothing is cast in a step but the whole mirror, once.
"""

from collections.abc import Sequence

import torch
import torch.distributed as dist

from agnews_ray.engine.fused.exchange import LINE, Exchange, shared_memory
from agnews_ray.engine.results import Rank


class Segment:
    """Parameters laid end to end in float32; each becomes a view, and so does its gradient.

    Args:
        parameters: in the order in which they are laid out.
        num_mirrored: the first so many of them are mirrored.
        dtype: of the mirror; float32 needs none, and values and gradients stand for it.
        device: of the parameters.
        exchange: among ranks of one machine, which share values, mirror and its gradients; None
            where each has its own.
    """

    def __init__(
        self,
        parameters: Sequence[torch.Tensor],
        num_mirrored: int,
        dtype: torch.dtype,
        device: torch.device,
        exchange: Exchange | None = None,
    ) -> None:
        self._exchange = exchange
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
        none = torch.zeros(0, device=device)  # there may be no parameter of this kind
        flat = torch.cat([none, *(p.detach().float().reshape(-1) for p in self._parameters)])
        self.has_mirror = dtype != torch.float32
        self._lay_out(flat, dtype, Rank() if exchange is None else exchange.rank)
        for parameter, start in self._starts.items():
            stop = start + parameter.numel()
            parameter.data = self.values[start:stop].view_as(parameter)
            parameter.grad = self.gradient[start:stop].view_as(parameter)
        self.share = torch.nn.Parameter(self.values[self._own])
        """The part of the values that this rank updates, and its gradient."""
        self.share.grad = self.gradient[self._own]

    def _lay_out(self, flat: torch.Tensor, dtype: torch.dtype, rank: Rank) -> None:
        """Place values, mirror and gradients: among ranks of one machine where all see them."""
        size, num_mirrored = len(flat), self.num_mirrored_elements
        of_mirror = num_mirrored * dtype.itemsize
        parts = [4 * size, of_mirror * self.has_mirror, *[of_mirror] * rank.world_size]
        parts = [-(-part // LINE) * LINE for part in parts]
        memory = shared_memory(sum(parts) if num_mirrored else 0, rank)
        self._own = slice(0, size)
        self.gradient = torch.zeros_like(flat)
        self._shared: list[torch.Tensor] = []
        if memory is None:
            self.values = flat
            self.mirror = flat[:num_mirrored].to(dtype)  # itself in float32
            self.mirror_gradient = self.gradient[:num_mirrored]
            if self.has_mirror:
                self.mirror_gradient = torch.zeros_like(self.mirror)
            return
        values, mirror, *gradients = torch.split(memory, parts)
        self.values = values.view(torch.float32)[:size]
        if rank.index == 0:
            self.values.copy_(flat)
        dist.barrier()
        self.mirror = (mirror if self.has_mirror else values).view(dtype)[:num_mirrored]
        self._shared = [gradient.view(dtype)[:num_mirrored] for gradient in gradients]
        self.mirror_gradient = self._shared[rank.index]
        self._own = slice(*(size * n // rank.world_size for n in (rank.index, rank.index + 1)))
        self.refresh()

    @property
    def is_shared(self) -> bool:
        """Whether ranks share the values, each updating a part of them."""
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
        """Cast the values into the mirror; ranks that share it cast a part each and meet."""
        if self.has_mirror:
            part = self._mirrored_part()
            self.mirror[part].copy_(self.values[part])
        if self._shared and self._exchange:
            self._exchange.meet()

    def collect(self) -> torch.Tensor:
        """Cast the mirror's gradient into the segment's.

        Returns:
            The gradient of what this rank updates. Where the values are shared it is summed over
            ranks, which must meet before anybody computes gradients anew; the first two are added
            in the mirror's precision, which saves a pass.
        """
        part = self._mirrored_part()
        collected = self.gradient[part]
        if self._shared:
            torch.add(self._shared[0][part], self._shared[1][part], out=collected)
            for other in self._shared[2:]:
                collected.add_(other[part])
        elif self.has_mirror:
            collected.copy_(self.mirror_gradient)
        return self.gradient[self._own]

    def _mirrored_part(self) -> slice:
        end = self.num_mirrored_elements
        return slice(min(self._own.start, end), min(self._own.stop, end))

    def release(self) -> None:
        """Give the parameters memory of their own again, and no gradients."""
        for parameter in self._parameters:
            parameter.data, parameter.grad = parameter.data.clone(), None
