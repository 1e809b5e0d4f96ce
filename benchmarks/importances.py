"""Do importances keep their promise? Simulated searches of known truth, and whether it is held.

    python benchmarks/importances.py [SEARCHES]

Prints a Markdown table: in what share of the searches the 95 % interval of each parameter's share
(and of the noise's), widened by 0.02, holds the true one. Each search has 20 settings of three
parameters, drawn at random, or half of them near the best, as a searcher draws them.
"""

import sys
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from agnews_ray.compare.importance import Tried, explain

Floats = NDArray[np.float64]

NUM_SETTINGS = 20
NOISE = 0.008
"""The standard deviation of a setting's score, as of one seed on some hundred validation rows."""
SLACK = 0.02

RESPONSES: dict[str, Callable[[Floats], Floats]] = {
    "one parameter, quadratic": lambda u: 0.9 - 0.15 * (u[:, 0] - 0.6) ** 2,
    "a jump": lambda u: np.where(u[:, 0] > 0.85, 0.5, 0.85 + 0.06 * u[:, 0]),
    "two parameters": lambda u: 0.9 - 0.15 * (u[:, 0] - 0.6) ** 2 - 0.04 * u[:, 1],
    "interaction": lambda u: 0.9 - 0.15 * (u[:, 0] - 0.3 - 0.5 * u[:, 1]) ** 2,
    "nothing matters": lambda u: 0.9 + 0 * u[:, 0],
}


def main(num_searches: int) -> None:
    """Simulate and print."""
    print("| response | random search | half of it near the best |\n| --- | --- | --- |")
    for name, response in RESPONSES.items():
        cells = [
            ", ".join(f"{share:.0%}" for share in held(response, num_searches, near_best=near))
            for near in (False, True)
        ]
        print(f"| {name} | {cells[0]} | {cells[1]} |", flush=True)


def held(response: Callable[[Floats], Floats], num_searches: int, *, near_best: bool) -> Floats:
    """Return the share of searches whose intervals hold the truth: of three parameters, noise."""
    truth, found = true_shares(response), np.zeros(4)
    for number in range(num_searches):
        rng = np.random.default_rng(number + 1000)
        places = rng.random((NUM_SETTINGS, 3))
        if near_best:
            half = NUM_SETTINGS // 2
            near = np.array([0.6, 0.5, 0.5]) + 0.12 * rng.normal(size=(NUM_SETTINGS - half, 3))
            places[half:] = np.clip(near, 0, 1)
        scores = response(places) + NOISE * rng.normal(size=NUM_SETTINGS)
        whole = np.ones(NUM_SETTINGS)
        shares = explain(Tried(places=places, is_choice=(False,) * 3, done=whole, scores=scores))
        assert shares is not None
        intervals = [*shares.parameters, shares.noise]
        low, high = (np.array([getattr(one, end) for one in intervals]) for end in ("low", "high"))
        found += (low - SLACK <= truth) & (truth <= high + SLACK)
    return found / num_searches


def true_shares(response: Callable[[Floats], Floats]) -> Floats:
    """Compute each parameter's total effect (Homma and Saltelli 1996) and the noise's share."""
    pairs = qmc.Sobol(6, rng=np.random.default_rng(0)).random(1 << 14)
    first, second = pairs[:, :3], pairs[:, 3:]
    values = response(first)
    variance = np.concatenate([values, response(second)]).var()
    effects = []
    for column in range(3):
        changed = first.copy()
        changed[:, column] = second[:, column]
        effects.append(0.5 * ((response(changed) - values) ** 2).mean())
    return np.append(effects, NOISE**2) / (variance + NOISE**2)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
