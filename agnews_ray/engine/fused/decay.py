"""The parameters with weight decay: the same as in the Hugging Face Trainer, chosen by name.

The number of dimensions cannot decide: MPNet's bias of relative positions is a table, and XLNet's
biases of attention have two axes, but neither decays; a vector that is neither a bias nor a
norm's parameter does decay.
"""

import re

import torch

NOT_DECAYING = re.compile(r"bias|layernorm|rmsnorm|(?:^|\.)norm(?:$|\.)|_norm(?:$|\.)")
"""The pattern in the lower-cased names of parameters without decay. Source:
``Trainer.get_decay_parameter_names`` of transformers 5.23, whose module takes a second to import;
a test compares the two."""


def decaying(model: torch.nn.Module) -> list[torch.Tensor]:
    """Choose the parameters to which weight decay applies.

    Args:
        model: any model.

    Returns:
        All parameters that neither belong to a LayerNorm nor match ``NOT_DECAYING``, in the model's
        order, each once.
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
