"""The block that is written out by hand is held against the same formulas in plain torch."""

import dataclasses

import pytest
import torch
from torch.nn.functional import gelu, layer_norm, linear

from agnews_ray.engine.fused import block as fused_block
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
    """Make a block of random parameters; a gradient that is not written stays NaN."""
    weights = BlockTensors(*(drawn(*shape) for shape in SHAPES))
    gradients = BlockTensors(*(torch.full(shape, torch.nan) for shape in SHAPES))
    return Block(weights, gradients, dataclasses.replace(SETTINGS, **settings))


def padding():
    """The last two tokens of the first row are padding."""
    bias = torch.zeros(ROWS, 1, 1, LENGTH)
    bias[0, ..., -2:] = -torch.inf
    return bias


def draw_keep(like, probability):
    """Draw the same mask for the block and for plain torch: both draw in the same order."""
    return torch.rand(like.shape) >= probability


def drop(values, probability):
    return values * draw_keep(values, probability) / (1 - probability) if probability else values


def plainly(hidden, addends, w, settings):
    def by_head(values):
        return values.view(ROWS, -1, HEADS, WIDTH // HEADS).transpose(1, 2)

    asking = hidden[:, :1] if settings.is_first_only else hidden
    query = by_head(linear(asking, w.query, w.query_bias))
    key, value = map(by_head, linear(hidden, w.key_value, w.key_value_bias).chunk(2, dim=-1))
    scores = query @ key.transpose(2, 3) / (WIDTH // HEADS) ** 0.5
    for addend in addends:
        scores = scores if addend is None else scores + addend
    shares = drop(scores.softmax(dim=-1), settings.attention_dropout)
    attended = (shares @ value).transpose(1, 2).reshape(ROWS, -1, WIDTH)
    first = asking + drop(linear(attended, w.out, w.out_bias), settings.projection_dropout)
    norm = (w.attention_norm, w.attention_norm_bias, settings.epsilon)
    middle = layer_norm(first, [WIDTH], *norm)
    raised = gelu(linear(middle, w.up, w.up_bias), approximate=settings.gelu)
    second = middle + drop(linear(raised, w.down, w.down_bias), settings.output_dropout)
    norm = (w.output_norm, w.output_norm_bias, settings.epsilon)
    return layer_norm(second, [WIDTH], *norm)


def compare(monkeypatch, is_biased=False, **settings):
    """Hold output and gradients against those of plain torch and its autograd."""
    monkeypatch.setattr(fused_block, "draw_keep", draw_keep)
    block = a_block(**settings)
    num_asking = 1 if block.settings.is_first_only else LENGTH
    hidden, by_position = drawn(ROWS, LENGTH, WIDTH), drawn(1, HEADS, num_asking, LENGTH)
    factor = drawn(ROWS, num_asking, WIDTH)
    found = [hidden.clone().requires_grad_(), by_position.clone().requires_grad_()]
    wanted = [one.detach().clone().requires_grad_() for one in (*found, *block.weights)]
    torch.manual_seed(1)
    output = run_block(found[0], padding(), found[1] if is_biased else None, block, True)
    (output * factor).sum().backward()
    torch.manual_seed(1)
    addends = (padding(), wanted[1] if is_biased else None)
    expected = plainly(wanted[0], addends, BlockTensors(*wanted[2:]), block.settings)
    (expected * factor).sum().backward()
    assert torch.allclose(output, expected, atol=1e-5)
    if not is_biased:
        del found[1], wanted[1]
    gradients = [one.grad for one in found] + list(block.gradients)
    for number, (gradient, leaf) in enumerate(zip(gradients, wanted, strict=True)):
        assert torch.allclose(gradient, leaf.grad, rtol=1e-4, atol=1e-5), number


@pytest.mark.parametrize("is_first_only", [False, True])
@pytest.mark.parametrize("is_biased", [False, True])
@pytest.mark.parametrize("approximation", ["none", "tanh"])
def test_output_and_gradients_are_those_of_autograd(
    monkeypatch, is_first_only, is_biased, approximation
):
    compare(monkeypatch, is_biased, is_first_only=is_first_only, gelu=approximation)


@pytest.mark.parametrize("is_first_only", [False, True])
@pytest.mark.parametrize(
    "rates",
    [
        {"attention_dropout": 0.4},
        {"projection_dropout": 0.4},
        {"output_dropout": 0.4},
        {"attention_dropout": 0.2, "projection_dropout": 0.3, "output_dropout": 0.4},
    ],
    ids=lambda rates: " ".join(rates),
)
def test_dropout_falls_on_the_same_places_scaled_alike(monkeypatch, is_first_only, rates):
    compare(monkeypatch, is_first_only=is_first_only, **rates)


def test_nothing_is_dropped_while_rows_are_scored():
    rates = {"attention_dropout": 0.2, "projection_dropout": 0.3, "output_dropout": 0.4}
    block, hidden = a_block(**rates), drawn(ROWS, LENGTH, WIDTH)
    found = run_block(hidden, None, None, block, False)
    assert torch.allclose(found, plainly(hidden, (), block.weights, SETTINGS), atol=1e-5)


def test_gradients_of_a_block_of_several_uses_are_added_up():
    block = a_block()
    sums = BlockTensors(*(torch.zeros(shape) for shape in SHAPES))
    block = dataclasses.replace(block, sums=sums)
    hidden = drawn(ROWS, LENGTH, WIDTH).requires_grad_()
    for _ in range(2):
        run_block(hidden, None, None, block, True).square().sum().backward()
    for total, once in zip(sums, block.gradients, strict=True):
        assert torch.equal(total, 2 * once)


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
