"""Statistics: small samples, no assumption about how they are distributed. The standard library is enough: the largest
computation is some thousand resamples of a few dozen numbers.
"""
import math
import random
import statistics

RESAMPLES = 2000
CONFIDENCE = 0.95


def median(values):
    return statistics.median(values)


def quantile(values, share):
    """Linear between the values that are nearest."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def spread(values):
    """(max - min) / median: everything that happened, in shares of the figure that is shown."""
    middle = median(values)
    return (max(values) - min(values)) / middle if middle else 0.0


def robust_spread(values):
    """(90 % quantile - 10 % quantile) / median, of many values among which some may be far off."""
    middle = median(values)
    return (quantile(values, 0.9) - quantile(values, 0.1)) / middle if middle else 0.0


def relative_error(values):
    """The standard error of the median in shares of it, estimated from the median absolute deviation: one round that
    was disturbed does not make it large."""
    middle = median(values)
    if len(values) < 2 or not middle:
        return 0.0
    deviation = median([abs(value - middle) for value in values])
    return 1.4826 * deviation * 1.2533 / math.sqrt(len(values)) / abs(middle)


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(value) for value in values))


def resampled(values, generator):
    return [values[generator.randrange(len(values))] for _ in values]


def interval(estimates):
    tail = (1 - CONFIDENCE) / 2
    return quantile(estimates, tail), quantile(estimates, 1 - tail)


def geometric_mean_of_ratios(pairs, resamples=RESAMPLES, seed=1):
    """(mean, low, high) of median(a) / median(b) over the pairs (a, b) of lists of values, one pair per benchmark.

    The interval is bootstrapped on both levels: benchmarks are drawn with replacement, and within each the rounds. So it
    tells how far the mean depends on which benchmarks were chosen and on the noise of the rounds. The generator's seed is fixed:
    the same results file gives the same report."""
    generator = random.Random(seed)
    mean = geometric_mean([median(a) / median(b) for a, b in pairs])
    if len(pairs) < 2:
        estimates = [median(resampled(pairs[0][0], generator)) / median(resampled(pairs[0][1], generator))
                     for _ in range(resamples)]
        return (mean, *interval(estimates))
    # Drawing the rounds of each benchmark anew in each resample is most of the work; a pool of draws is as good.
    pool = [[math.log(median(resampled(a, generator)) / median(resampled(b, generator))) for _ in range(64)]
            for a, b in pairs]
    estimates = []
    for _ in range(resamples):
        chosen = resampled(pool, generator)
        estimates.append(math.exp(statistics.fmean(draws[generator.randrange(64)] for draws in chosen)))
    return (mean, *interval(estimates))


def growth_exponent(sizes, times):
    """The e of time = c * size^e by least squares on logarithms: 1 is linear. Needs two sizes."""
    xs = [math.log(size) for size in sizes]
    ys = [math.log(time) for time in times]
    mean_x, mean_y = statistics.fmean(xs), statistics.fmean(ys)
    square = sum((x - mean_x) ** 2 for x in xs)
    if len(xs) < 2 or square == 0:
        raise ValueError("growth needs two different sizes")
    return sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys)) / square
