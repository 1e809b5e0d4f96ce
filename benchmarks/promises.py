"""Do verdicts keep their promise? Simulated studies of known truth, wrong statements counted.

    python benchmarks/promises.py [STUDIES]

Prints a Markdown table: what could go wrong, how often it did, and what was promised.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))  # the simulations are those of the tests

from agnews_ray.compare import replication
from agnews_ray.compare.verdicts import difference_in
from tests.fakes.simulated import (
    Truth,
    as_predictions,
    said_to_be_equivalent,
    seed_results,
    wrong_statement,
)

REPLICATED = Truth(num_rows=7600, seed_spread=0.03, accuracy=0.945)
"""Seeds spread by 0.3 points of accuracy on as many rows as AG News' test split has."""


def main(num_studies: int) -> None:
    """Simulate and print."""
    print("| promise | case | found | promised |\n| --- | --- | --- | --- |")
    of_verify(num_studies)
    of_report(num_studies)


def of_verify(num_studies: int) -> None:
    """Count wrong alarms."""
    for num_seeds in (2, 3, 5, 10):
        rate = np.mean([published(num_seeds, study) for study in range(num_studies)])
        show("verify: exact replications disagree", f"{num_seeds} seeds against one run", rate, 5)
    for ours, theirs in ((2, 1), (2, 2), (3, 3), (5, 5), (10, 10), (10, 1)):
        rate = np.mean([studies(ours, theirs, study) for study in range(num_studies // 4)])
        show("verify: exact replications disagree", f"{ours} seeds against {theirs}", rate, 5)


def of_report(num_studies: int) -> None:
    """Count wrong verdicts, and intervals that miss."""
    for metric in ("accuracy", "macro-f1"):
        for num_seeds in (1, 3, 5):
            rate = np.mean(
                [together(num_seeds, metric, study) for study in range(num_studies // 2)]
            )
            case = f"{metric}, {num_seeds} seed(s), two pairs equal, two at the margin"
            show("report: any wrong statement", case, rate, 5)
    for num_rows in (330, 400, 1000, 7600):
        for share in (0.0, 0.002, 0.01):
            rate = said_to_be_equivalent(num_rows, 0.005, share)
            case = f"{num_rows} rows, one seed, {share:.1%} discordant the other way, enumerated"
            show("report: equivalent at the margin", case, rate, 5)
    for num_rows in (330, 1000):
        for num_seeds in (1, 2, 3, 5):
            truth = Truth(num_rows=num_rows, seed_spread=0.0, noise=0.02)
            rate = np.mean([few_rows(truth, num_seeds, study) for study in range(num_studies)])
            case = f"{num_rows} rows, {num_seeds} seed(s), nearly all discordance on one side"
            show("report: equivalent at the margin", case, rate, 5)
    for num_seeds in (2, 3, 5, 10):
        rate = np.mean([missed(num_seeds, study) for study in range(num_studies)])
        show("report: interval misses the difference", f"{num_seeds} seeds", rate, 5)


def show(promise: str, case: str, rate: float, promised: int) -> None:
    """Print one line as soon as it is known."""
    print(f"| {promise} | {case} | {100 * rate:.1f} % | {promised} % |", flush=True)


def published(num_seeds: int, study: int) -> bool:
    """Whether one more run of the same recipe is said to disagree."""
    rng = np.random.default_rng([1, num_seeds, study])
    test_set = REPLICATED.rows(rng)
    right = REPLICATED.predict(rng, test_set, 0.0, num_seeds + 1) == test_set[0]
    *ours, theirs = right.mean(axis=1).tolist()
    found = replication.against_single_runs(ours, round(theirs, 4), 1)
    return found is not None and not holds_zero(found)


def studies(num_ours: int, num_theirs: int, study: int) -> bool:
    """Whether a study that repeats another is said to disagree."""
    rng = np.random.default_rng([2, num_ours, num_theirs, study])
    test_set = REPLICATED.rows(rng)
    ours, theirs = (
        as_predictions(test_set[0], REPLICATED.predict(rng, test_set, 0.0, count))
        for count in (num_ours, num_theirs)
    )
    return not holds_zero(replication.between_studies(ours, theirs)["Accuracy"])


def holds_zero(found: replication.Difference) -> bool:
    """Whether a difference's 95 % interval says that the two agree."""
    interval = found.interval(0.05)
    return interval.low <= 0 <= interval.high


def together(num_seeds: int, metric: str, study: int) -> bool:
    """Whether anything wrong is said of two equal pairs and two at the margin."""
    rng = np.random.default_rng([3, num_seeds, study])
    spread = 0.0 if num_seeds == 1 else 0.02  # a single seed shows no spread
    truth = Truth(num_rows=1000, seed_spread=spread, num_classes=4)
    shifts = (0.0, -0.04, 0.0, -0.04)
    return wrong_statement(rng, truth, shifts, num_seeds, 0.04, metric=metric)


def few_rows(truth: Truth, num_seeds: int, study: int) -> bool:
    """Whether a variant that is worse by the margin is said to be equivalent."""
    rng = np.random.default_rng([4, truth.num_rows, num_seeds, study])
    return wrong_statement(rng, truth, (-0.005,), num_seeds, 0.005)


def missed(num_seeds: int, study: int) -> bool:
    """Whether a known difference is left out of its interval."""
    rng, truth = np.random.default_rng([5, num_seeds, study]), Truth(num_rows=400)
    test_set = truth.rows(rng)
    models = [truth.predict(rng, test_set, shift, num_seeds) for shift in (0.02, 0.0)]
    found = difference_in("accuracy", *seed_results(rng, test_set[0], models))
    return found.p_value(0.02) < 0.05


if __name__ == "__main__":
    replication.NUM_DRAWS = 200  # as many as these tables need
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
