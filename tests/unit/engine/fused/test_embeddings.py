import itertools

import numpy as np
import pytest
import torch

from agnews_ray.engine.fused.embeddings import WordEmbeddings
from agnews_ray.plan.budget import learning_rate
from agnews_ray.spec.recipe import RecipeSpec

NUM_WORDS, WIDTH, NUM_STEPS = 60, 8, 700
RECIPE = RecipeSpec(learning_rate=1e-3, weight_decay=0.1)


def an_embedding():
    torch.manual_seed(0)
    return torch.nn.Embedding(NUM_WORDS, WIDTH, padding_idx=0)


def some_steps(scale):
    """Words that come often, rarely, once and never; gradients far above and near epsilon."""
    rng = np.random.default_rng(0)
    odds = 1.0 / np.arange(1, NUM_WORDS + 1) ** 2
    odds[-5:] = 0
    for _ in range(NUM_STEPS):
        words = np.unique(rng.choice(NUM_WORDS, 6, p=odds / odds.sum()))
        gradient = rng.normal(0, scale, (words.size, WIDTH)).astype(np.float32)
        yield torch.from_numpy(words), torch.from_numpy(gradient)


def trained(recipe, scale):
    """The table after all steps by a dense AdamW in double precision, and by ours."""
    dense, table = an_embedding().double(), WordEmbeddings(an_embedding(), recipe, NUM_STEPS)
    betas = (recipe.adam_beta1, recipe.adam_beta2)
    adamw = torch.optim.AdamW(
        dense.parameters(), lr=0.0, weight_decay=recipe.weight_decay, betas=betas
    )
    rates = learning_rate(np.arange(NUM_STEPS), NUM_STEPS, recipe)
    for rate, (words, gradient) in zip(rates, some_steps(scale), strict=True):
        dense.weight.grad = torch.zeros_like(dense.weight)
        dense.weight.grad[words] = gradient.double()
        adamw.param_groups[0]["lr"] = rate
        adamw.step()
        table.begin(words)
        table.gradient.copy_(gradient)
        table.update(torch.tensor(1.0))
    table.finish()
    return dense.weight.detach(), table.embedding.weight.detach().double()


@pytest.mark.parametrize(("scale", "tolerance"), [(1e-2, 3e-5), (1e-5, 3e-4), (1e-7, 5e-4)])
def test_lazy_updates_are_dense_adamws(scale, tolerance):
    dense, lazy = trained(RECIPE, scale)
    moved = (dense - an_embedding().weight).detach().abs().max()
    assert torch.allclose(lazy, dense, rtol=0, atol=tolerance * float(moved))


@pytest.mark.parametrize("betas", [(0.0, 0.999), (0.99, 0.999), (0.9, 0.0)])
def test_other_betas_are_followed_too(betas):
    recipe = RECIPE.model_copy(update={"adam_beta1": betas[0], "adam_beta2": betas[1]})
    dense, lazy = trained(recipe, 1e-2)
    assert lazy.isfinite().all()
    if betas[1]:  # a second moment of 0 leaves epsilon alone to divide by
        assert torch.allclose(lazy, dense, rtol=0, atol=2e-4)


def test_a_row_is_up_to_date_when_it_is_read():
    lazy, eager = an_embedding(), an_embedding()
    table, watched = (
        WordEmbeddings(lazy, RECIPE, NUM_STEPS),
        WordEmbeddings(eager, RECIPE, NUM_STEPS),
    )
    for index, (words, gradient) in enumerate(some_steps(1e-2)):
        for one in (table, watched):
            one.begin(words)
            one.gradient.copy_(gradient)
            one.update(torch.tensor(1.0))
        watched.finish()
        if index == 50:
            break
    lazy.eval()
    ids = torch.tensor([[3, 40], [59, 3]])
    assert torch.allclose(table.look_up(ids), eager.weight[ids], atol=1e-6)


def test_a_pass_of_scoring_updates_all_rows_once_and_reads_the_same(monkeypatch):
    table, passes = WordEmbeddings(an_embedding(), RECIPE, NUM_STEPS), []
    up_to_date = table._up_to_date
    for words, gradient in itertools.islice(some_steps(1e-2), 3):
        table.begin(words)
        table.gradient.copy_(gradient)
        table.update(torch.tensor(1.0))
    monkeypatch.setattr(
        table, "_up_to_date", lambda words: passes.append(len(words)) or up_to_date(words)
    )
    table.embedding.eval()
    read = [table.look_up(torch.arange(NUM_WORDS)) for _ in range(3)]
    assert passes == [NUM_WORDS]
    assert torch.equal(read[0], read[1])
    assert torch.equal(read[0], read[2])
    table.begin(torch.tensor([1]))
    table.update(torch.tensor(1.0))
    table.look_up(torch.arange(NUM_WORDS))
    assert passes == [NUM_WORDS, 1, NUM_WORDS]


def test_gradients_of_a_word_add_up_and_padding_has_none():
    embedding = an_embedding()
    table = WordEmbeddings(embedding, RECIPE, 10)
    ids = torch.tensor([[5, 9, 5], [7, 0, 0]])
    table.begin(ids.unique())
    table.look_up(ids).sum().backward()
    assert table.words.tolist() == [0, 5, 7, 9]
    assert table.gradient[:, 0].tolist() == [0.0, 2.0, 1.0, 1.0]
    assert embedding.weight.grad is None


def test_the_divisor_divides_the_gradient():
    def updated(scale):
        table = WordEmbeddings(an_embedding(), RECIPE, 10)
        for _ in range(2):  # the first rate is 0
            table.begin(torch.tensor([1, 2]))
            table.gradient.fill_(1e-9 * scale)
            table.update(torch.tensor(scale))
        return table.embedding.weight

    assert torch.allclose(updated(1.0), updated(1024.0))
