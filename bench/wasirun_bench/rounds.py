"""Batches of steps in interleaved rounds: A B C A B C. What disturbs the machine for a while meets every contender.

Each batch begins with a round that is not counted: it fills caches, makes precompiled forms, and finds out who fails. A
contender that fails is named in the results and left out of the rest of its batch; the run goes on.
"""
import dataclasses
import statistics
import time
import typing

from . import machine
from .process import Failed

# A step that takes so many seconds is measured so often: half an hour for one figure is not worth it.
LONG_STEP = 10
LONG_ROUNDS = 2


class NotApplicable(Exception):
    """This contender has no figure here, and that is no failure."""


@dataclasses.dataclass
class Step:
    contender: str
    measure: typing.Callable  # () -> [Figure]
    counted: int = 0  # rounds so far
    is_long: bool = False


@dataclasses.dataclass
class Figure:
    metric: str
    unit: str
    value: float
    benchmark: str | None = None  # where a step measures several; None: the batch's


@dataclasses.dataclass
class Batch:
    measure: str
    benchmark: str
    steps: list
    about: dict = dataclasses.field(default_factory=dict)
    has_warm_up: bool = True


class Estimate:
    """How long what is left will take: what steps of the same contender in the same measure took so far, or else what
    steps of the same measure took, or else all."""

    def __init__(self):
        self.taken = {}

    def add(self, batch, step, seconds):
        for key in ((batch.measure, step.contender), batch.measure, None):
            self.taken.setdefault(key, []).append(seconds)

    def of(self, batch, step):
        for key in ((batch.measure, step.contender), batch.measure, None):
            if key in self.taken:
                return statistics.fmean(self.taken[key])
        return 1.0


class Runner:
    def __init__(self, results, rounds, display):
        self.results = results
        self.rounds = rounds
        self.display = display
        self.estimate = Estimate()
        self.watch = machine.Watch()

    def count(self, batch):
        return self.rounds + batch.has_warm_up

    def seconds_left(self, batches, number_in_first=0):
        left = 0.0
        for place, batch in enumerate(batches):
            rounds = self.count(batch) - (number_in_first if place == 0 else 0)
            left += rounds * sum(self.estimate.of(batch, step) for step in batch.steps)
        return left

    def run(self, batches):
        """Runs them all. An interrupt passes through: what was measured is saved."""
        try:
            for place, batch in enumerate(batches):
                self.run_batch(batch, batches[place:])
            self.results.data["finished"] = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        finally:
            self.results.data["noise"] = self.watch.report()
            self.results.save()

    def run_batch(self, batch, batches):
        watch = machine.Watch()
        watch.program = self.watch.program
        self.results.benchmark(batch.measure, batch.benchmark, **batch.about)
        batch.steps = list(batch.steps)
        try:
            for number in range(self.count(batch)):
                is_warm_up = batch.has_warm_up and number == 0
                watch.measure()
                self.watch.yardstick.append(watch.yardstick[-1])
                for step in list(batch.steps):
                    self.display.show(batch, step, number + 1, self.count(batch), self.seconds_left(batches, number))
                    self.take(batch, step, is_warm_up)
                if not batch.steps:
                    break
                self.results.data["noise"] = self.watch.report()
                self.results.save()
        finally:
            self.watch.program = watch.program
            about = self.results.data["benchmarks"][f"{batch.measure}/{batch.benchmark}"]
            about["noise"] = watch.report()

    def take(self, batch, step, is_warm_up):
        if step.is_long and step.counted >= LONG_ROUNDS:
            return
        began = time.monotonic()
        try:
            figures = step.measure()
        except NotApplicable:
            batch.steps.remove(step)
            return
        except Failed as error:
            batch.steps.remove(step)
            self.results.fail(batch.measure, batch.benchmark, step.contender, error)
            self.display.failed(batch, step, error)
            return
        seconds = time.monotonic() - began
        self.estimate.add(batch, step, seconds)
        step.is_long = seconds > LONG_STEP
        if is_warm_up:
            return
        step.counted += 1
        for figure in figures:
            benchmark = figure.benchmark or batch.benchmark
            if figure.benchmark:
                self.results.benchmark(batch.measure, benchmark, title=benchmark, group=benchmark.split("/")[0])
            self.results.add(batch.measure, benchmark, figure.metric, figure.unit, step.contender, figure.value)
