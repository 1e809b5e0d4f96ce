"""The block that is written out by hand, against the same formulas in plain torch."""

import dataclasses

import pytest
import torch
from torch.nn.functional import gelu, layer_norm, linear

from agnews_ray.engine.fused.block import Block, BlockSettings, BlockTensors, run_block

ROWS, LENGTH, WIDTH, INNER, HEADS = 3, 5, 8, 12, 2
SHAPES = BlockTensors(
    query=(WIDTH, WIDTH),
    query_bias=(WIDTH,),
    key_value=(2 * WIDTH, WIDTH),
    key_value_bias=(2 * WIDTH,),
    out=(WIDTH, WIDTH),
    out_bias=(WIDTH,),
    up=(INNER, WIDTH),
    up_bias=(INNER,),
    down=(WIDTH, INNER),
    down_bias=(WIDTH,),
    attention_norm=(WIDTH,),
    attention_norm_bias=(WIDTH,),
    output_norm=(WIDTH,),
    output_norm_bias=(WIDTH,),
)
SETTINGS = BlockSettings(
    num_heads=HEADS,
    epsilon=1e-5,
    attention_dropout=0.0,
    projection_dropout=0.0,
    output_dropout=0.0,
)


def drawn(*shape):
    return torch.randn(shape) / 2


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def a_block(**settings):
    """A block of random parameters; what is not written of its gradients stays no number."""
    weights = BlockTensors(*(drawn(*shape) for shape in SHAPES))
    gradients = BlockTensors(*(torch.full(shape, torch.nan) for shape in SHAPES))
    return Block(weights, gradients, dataclasses.replace(SETTINGS, **settings))


def padding():
    """The last two tokens of the first row are padding."""
    bias = torch.zeros(ROWS, 1, 1, LENGTH)
    bias[0, ..., -2:] = -torch.inf
    return bias


def plainly(hidden, addends, w, settings):
    def by_head(values):
        return values.view(ROWS, -1, HEADS, WIDTH // HEADS).transpose(1, 2)

    asking = hidden[:, :1] if settings.is_first_only else hidden
    query = by_head(linear(asking, w.query, w.query_bias))
    key, value = map(by_head, linear(hidden, w.key_value, w.key_value_bias).chunk(2, dim=-1))
    scores = query @ key.transpose(2, 3) / (WIDTH // HEADS) ** 0.5
    for addend in addends:
        scores = scores if addend is None else scores + addend
    attended = (scores.softmax(dim=-1) @ value).transpose(1, 2).reshape(ROWS, -1, WIDTH)
    first = asking + linear(attended, w.out, w.out_bias)
    norm = (w.attention_norm, w.attention_norm_bias, settings.epsilon)
    middle = layer_norm(first, [WIDTH], *norm)
    raised = gelu(linear(middle, w.up, w.up_bias), approximate=settings.gelu)
    second = middle + linear(raised, w.down, w.down_bias)
    norm = (w.output_norm, w.output_norm_bias, settings.epsilon)
    return layer_norm(second, [WIDTH], *norm)


@pytest.mark.parametrize("is_first_only", [False, True])
@pytest.mark.parametrize("is_biased", [False, True])
@pytest.mark.parametrize("approximation", ["none", "tanh"])
def test_output_and_gradients_are_those_of_autograd(is_first_only, is_biased, approximation):
    block = a_block(is_first_only=is_first_only, gelu=approximation)
    num_asking = 1 if is_first_only else LENGTH
    hidden, by_position = drawn(ROWS, LENGTH, WIDTH), drawn(1, HEADS, num_asking, LENGTH)
    factor = drawn(ROWS, num_asking, WIDTH)
    found = [hidden.clone().requires_grad_(), by_position.clone().requires_grad_()]
    wanted = [one.detach().clone().requires_grad_() for one in (*found, *block.weights)]
    output = run_block(found[0], padding(), found[1] if is_biased else None, block, True)
    (output * factor).sum().backward()
    addends = (padding(), wanted[1] if is_biased else None)
    expected = plainly(wanted[0], addends, BlockTensors(*wanted[2:]), block.settings)
    (expected * factor).sum().backward()
    assert torch.allclose(output, expected, atol=1e-5)
    if not is_biased:
        del found[1], wanted[1]
    gradients = [one.grad for one in found] + list(block.gradients)
    for number, (gradient, leaf) in enumerate(zip(gradients, wanted, strict=True)):
        assert torch.allclose(gradient, leaf.grad, rtol=1e-4, atol=1e-5), number


def test_gradients_of_a_block_of_several_uses_are_added_up():
    block = a_block()
    sums = BlockTensors(*(torch.zeros(shape) for shape in SHAPES))
    block = dataclasses.replace(block, sums=sums)
    hidden = drawn(ROWS, LENGTH, WIDTH).requires_grad_()
    for _ in range(2):
        run_block(hidden, None, None, block, True).square().sum().backward()
    assert all(torch.equal(total, 2 * once) for total, once in zip(sums, block.gradients))


RATES = ["attention_dropout", "projection_dropout", "output_dropout"]


@pytest.mark.parametrize("rate", RATES)
def test_the_gradient_under_dropout_is_that_of_the_same_mask(rate):
    """Held against a difference of two outputs, a little to each side."""
    block, factor = a_block(**{rate: 0.4}), drawn(ROWS, LENGTH, WIDTH)

    def output(hidden):
        torch.manual_seed(1)
        return (run_block(hidden, padding(), None, block, True) * factor).sum()

    hidden = drawn(ROWS, LENGTH, WIDTH).requires_grad_()
    output(hidden).backward()
    for _ in range(5):
        step = 0.01 * drawn(ROWS, LENGTH, WIDTH)
        with torch.no_grad():
            difference = output(hidden + step) - output(hidden - step)
        assert difference.item() == pytest.approx(2 * (hidden.grad * step).sum().item(), rel=0.05)


@pytest.mark.parametrize("rate", RATES)
def test_dropout_is_applied_in_training_and_scaled_to_the_same_mean(rate):
    block, hidden = a_block(**{rate: 0.4}), drawn(ROWS, LENGTH, WIDTH)
    scored = run_block(hidden, None, None, block, False)
    assert torch.allclose(scored, plainly(hidden, (), block.weights, SETTINGS), atol=1e-5)
    outputs = torch.stack([run_block(hidden, None, None, block, True) for _ in range(300)])
    assert outputs.std(dim=0).mean() > 0.05
    assert (outputs.mean(dim=0) - scored).abs().mean() < 0.1


def test_products_of_low_precision_answer_in_float32():
    block = a_block()
    low = BlockTensors(
        *(w if "norm" in name else w.bfloat16() for name, w in block.weights._asdict().items())
    )
    hidden = drawn(ROWS, LENGTH, WIDTH)
    full = run_block(hidden, None, None, block, False)
    found = run_block(hidden, None, None, dataclasses.replace(block, weights=low), False)
    assert found.dtype == torch.float32
    assert 0 < (found - full).abs().max() < 0.1
