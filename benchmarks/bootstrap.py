"""How long the bootstrap takes: 1,000 draws of 10 seeds x 2 models x 7,600 rows of 4 classes.

Prints the seconds of five rounds, of the counting under 1,000 drawn test sets and of all intervals
of accuracy and macro-F1 of both models and of their difference.
"""

import time

import numpy as np

from agnews_ray.compare.bootstrap import count, draw_counts, estimate
from agnews_ray.compare.variants import accuracy_of, macro_f1_of

NUM_SEEDS, NUM_ROWS, NUM_CLASSES, NUM_DRAWS = 10, 7600, 4, 1000


def main() -> None:
    """Print one line a round."""
    rng = np.random.default_rng(0)
    labels = rng.integers(NUM_CLASSES, size=NUM_ROWS)
    shape = (2 * NUM_SEEDS, NUM_ROWS)
    predicted = np.where(rng.random(shape) < 0.94, labels, rng.integers(NUM_CLASSES, size=shape))
    for _ in range(5):
        start = time.perf_counter()
        observed = count(labels, predicted, NUM_CLASSES)
        drawn = draw_counts(labels, predicted, NUM_CLASSES, NUM_DRAWS, rng)
        for score in (accuracy_of, macro_f1_of):
            seen, resampled = score(observed), score(drawn)
            first, second = slice(None, NUM_SEEDS), slice(NUM_SEEDS, None)
            for part in (first, second):
                estimate(seen[part], resampled[:, part], NUM_ROWS).interval()
            difference = seen[first] - seen[second]
            resampled_difference = resampled[:, first] - resampled[:, second]
            estimate(difference, resampled_difference, NUM_ROWS).p_value()
        print(f"{time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
