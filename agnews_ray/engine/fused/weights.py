"""A model's parameters in one contiguous buffer, which is updated, clipped, cast and exchanged.

Parameters with weight decay (nearly always matrices) are one segment, those without (vectors)
another: see ``decay``. The parameters of fused blocks come first, and have a mirror: a copy in the
precision of the matrix products, so that a step casts only the whole mirror, once.
"""

import itertools
from collections.abc import Iterator, Sequence

import torch
import torch.distributed as dist

from agnews_ray.engine.fused.exchange import LINE, Exchange, shared_memory
from agnews_ray.engine.results import Rank


class Segment:
    """Parameters one after the other in a float32 buffer; they and their gradients become views.

    Args:
        parameters: the parameters, in the order of the layout.
        num_mirrored: the number of parameters with a mirror, which come first.
        dtype: the type of the mirror; float32 needs no copy, so values and gradients are used.
        device: the device of the parameters.
        exchange: the exchange between ranks; on one machine they share values, mirror and its
            gradients. None if each rank has its own.
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
        """Shape (own elements,): the part of the values that this rank updates, and its
        gradient."""
        self.share.grad = self.gradient[self._own]

    def _lay_out(self, flat: torch.Tensor, dtype: torch.dtype, rank: Rank) -> None:
        """Make values, mirror and gradients; ranks of one machine put them into shared memory."""
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
            self.mirror = flat[:num_mirrored].to(dtype)  # no copy in float32
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
        self._own = slice(*self._bounds()[rank.index])
        self.refresh()

    @property
    def is_shared(self) -> bool:
        """Whether ranks share the values, and each updates a part of them."""
        return bool(self._shared)

    def span(self, parameters: Sequence[torch.Tensor]) -> slice:
        """Find the place of adjacent parameters in the buffer.

        Args:
            parameters: the adjacent parameters, in order.

        Returns:
            The range of their elements.
        """
        start = self._starts[parameters[0]]
        return slice(start, start + sum(parameter.numel() for parameter in parameters))

    def parts(self, flat: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Split a tensor in the layout of the values by parameter.

        Args:
            flat: shape (elements,), the tensor in the layout of the values.

        Yields:
            Each parameter, and its part of the tensor in its shape.
        """
        for parameter, start in self._starts.items():
            yield parameter, flat[start : start + parameter.numel()].view_as(parameter)

    def gather(self, mine: torch.Tensor) -> torch.Tensor:
        """Join the tensors that each rank keeps for the part that it updates.

        Args:
            mine: this rank's tensor, with the shape of its ``share``.

        Returns:
            Shape (elements,): the joined tensor, the same on each rank.
        """
        if not self._shared or self._exchange is None:
            return mine
        pieces = [torch.empty(stop - start) for start, stop in self._bounds()]
        rank = self._exchange.rank
        pieces[rank.index].copy_(mine)
        for index, piece in enumerate(pieces):
            dist.broadcast(piece, index)
        return torch.cat(pieces)

    def own_part(self, flat: torch.Tensor) -> torch.Tensor:
        """Take this rank's part of a tensor in the layout of the values."""
        return flat[self._own]

    def load(self, flat: torch.Tensor) -> None:
        """Load values; ranks that share them all write the same.

        Args:
            flat: shape (elements,), the tensor in the layout of the values.
        """
        self.values.copy_(flat)
        self.refresh()

    def refresh(self) -> None:
        """Cast values into the mirror; ranks that share it cast a part each, then wait for all."""
        if self.has_mirror:
            part = self._mirrored_part()
            self.mirror[part].copy_(self.values[part])
        if self._shared and self._exchange:
            self._exchange.meet()

    def collect(self) -> torch.Tensor:
        """Cast the mirror's gradient into the segment's gradient.

        Returns:
            The gradient of the part that this rank updates. If the values are shared, it is summed
            over ranks, and a barrier must follow before any rank computes gradients again. The
            first two ranks' gradients are added in the mirror's precision, which saves a pass.
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

    def _bounds(self) -> list[tuple[int, int]]:
        """Compute the begin and end of the part of each rank that shares the values."""
        size = len(self.values)
        num_parts = self._exchange.rank.world_size if self._exchange else 1
        ends = [size * number // num_parts for number in range(num_parts + 1)]
        return list(itertools.pairwise(ends))

    def _mirrored_part(self) -> slice:
        end = self.num_mirrored_elements
        return slice(min(self._own.start, end), min(self._own.stop, end))

    def release(self) -> None:
        """Give the parameters their own memory again, and no gradients."""
        for parameter in self._parameters:
            parameter.data, parameter.grad = parameter.data.clone(), None
