"""Which parameters decay: those that the Hugging Face Trainer decays, by their names.

Dimensions do not tell: MPNet's bias of relative positions is a table, XLNet's of attention have two
axes, and none of these decays; a vector that is neither a bias nor a norm's does.
"""

import re

import torch

NOT_DECAYING = re.compile(r"bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)")
"""In a lower-cased name. Source: ``Trainer.get_decay_parameter_names`` of transformers 5.23, whose
module takes a second to import; a test holds the two against each other."""


def decaying(model: torch.nn.Module) -> list[torch.Tensor]:
    """Choose the parameters to which weight decay applies.

    Args:
        model: any.

    Returns:
        All that are neither a LayerNorm's nor named as one of those that do not decay, in the
        model's order, each once.
    """
    of_norms = {
        id(parameter)
        for module in model.modules()
        if isinstance(module, torch.nn.LayerNorm)
        for parameter in module.parameters(recurse=False)
    }
    return [
        parameter
        for name, parameter in model.named_parameters()
        if id(parameter) not in of_norms and not NOT_DECAYING.search(name.lower())
    ]
