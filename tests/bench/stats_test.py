"""Statistics of small samples."""
import unittest

import support
from wasirun_bench import stats


class Samples(unittest.TestCase):
    def test_quantiles_lie_between_values(self):
        self.assertEqual(stats.quantile([4, 1, 3, 2], 0), 1)
        self.assertEqual(stats.quantile([4, 1, 3, 2], 1), 4)
        self.assertEqual(stats.quantile([4, 1, 3, 2], 0.5), 2.5)
        self.assertEqual(stats.quantile([7], 0.9), 7)

    def test_spread_is_everything_that_happened(self):
        self.assertAlmostEqual(stats.spread([9, 10, 12]), 0.3)
        self.assertEqual(stats.spread([5]), 0)
        self.assertEqual(stats.spread([0, 0]), 0)

    def test_robust_spread_does_not_see_a_few_that_are_far_off(self):
        values = [100] * 50 + [1000] * 2
        self.assertEqual(stats.robust_spread(values), 0)
        self.assertEqual(stats.spread(values), 9)

    def test_error_of_the_median_ignores_one_disturbed_round(self):
        quiet = stats.relative_error([100, 101, 99, 100, 102])
        disturbed = stats.relative_error([100, 101, 99, 100, 900])
        self.assertAlmostEqual(quiet, disturbed)
        self.assertGreater(quiet, 0)
        self.assertEqual(stats.relative_error([100]), 0)

    def test_error_shrinks_with_rounds(self):
        self.assertLess(stats.relative_error([99, 101] * 20), stats.relative_error([99, 101] * 2))


class GeometricMeans(unittest.TestCase):
    def test_mean_of_ratios(self):
        mean, low, high = stats.geometric_mean_of_ratios([([2], [1]), ([8], [1])])
        self.assertAlmostEqual(mean, 4)
        self.assertAlmostEqual(low, 2)
        self.assertAlmostEqual(high, 8)

    def test_ratio_and_its_inverse_agree(self):
        a, b = [10, 11, 12], [5, 5.1, 5.2]
        there = stats.geometric_mean_of_ratios([(a, b), (b, a)])
        self.assertAlmostEqual(there[0], 1)

    def test_interval_is_a_point_without_noise(self):
        self.assertEqual(stats.geometric_mean_of_ratios([([6, 6, 6], [3, 3, 3])]), (2, 2, 2))
        mean, low, high = stats.geometric_mean_of_ratios([([6, 6], [3, 3])] * 10)
        for value in (mean, low, high):
            self.assertAlmostEqual(value, 2)

    def test_interval_holds_the_mean_and_grows_with_differences(self):
        close = stats.geometric_mean_of_ratios([([10 + i % 2], [10]) for i in range(20)])
        far = stats.geometric_mean_of_ratios([([10 * (1 + i % 5)], [10]) for i in range(20)])
        for mean, low, high in (close, far):
            self.assertLessEqual(low, mean)
            self.assertGreaterEqual(high, mean)
        self.assertGreater(far[2] / far[1], close[2] / close[1])

    def test_the_same_values_give_the_same_interval(self):
        pairs = [([10, 12, 11], [3, 4, 5]), ([7, 9, 8], [2, 2, 3])]
        self.assertEqual(stats.geometric_mean_of_ratios(pairs), stats.geometric_mean_of_ratios(pairs))


class Growth(unittest.TestCase):
    def test_exponents(self):
        sizes = [10, 100, 1000, 10000]
        self.assertAlmostEqual(stats.growth_exponent(sizes, [3 * size for size in sizes]), 1)
        self.assertAlmostEqual(stats.growth_exponent(sizes, [5 * size ** 2 for size in sizes]), 2)
        self.assertAlmostEqual(stats.growth_exponent(sizes, [7, 7, 7, 7]), 0)

    def test_one_size_has_no_growth(self):
        with self.assertRaises(ValueError):
            stats.growth_exponent([10, 10], [1, 2])


if __name__ == "__main__":
    support.main()
