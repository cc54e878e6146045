"""What a run shows while it runs: on a terminal a progress bar with the time left, elsewhere a line per benchmark."""
import sys
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn


def span(seconds):
    """"1:02:03", "2:03"."""
    minutes, seconds = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


class Display:
    def __init__(self):
        self.console = Console(file=sys.stderr, highlight=False)
        self.began = time.monotonic()
        self.last = None
        self.progress = None
        if self.console.is_terminal:
            self.progress = Progress(TextColumn("{task.fields[what]}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"),
                                     TextColumn("{task.fields[left]}"), console=self.console, transient=True)
            self.task = self.progress.add_task("", total=1.0, what="", left="")

    def __enter__(self):
        if self.progress:
            self.progress.start()
        return self

    def __exit__(self, *_):
        if self.progress:
            self.progress.stop()

    def say(self, text):
        self.console.print(text, markup=False, soft_wrap=True)

    def show(self, batch, step, number, count, seconds_left):
        gone = time.monotonic() - self.began
        if self.progress:
            self.progress.update(self.task, total=gone + seconds_left, completed=gone, left=f"{span(seconds_left)} left",
                                 what=f"{batch.measure} {batch.benchmark} {number}/{count} {step.contender}")
        elif self.last != (batch.measure, batch.benchmark):
            self.last = (batch.measure, batch.benchmark)
            self.say(f"{span(gone):>7}  {batch.measure}: {batch.benchmark} ({len(batch.steps)} contenders, "
                     f"{span(seconds_left)} left)")

    def failed(self, batch, step, error):
        self.say(f"  {step.contender} fails at {batch.measure} {batch.benchmark}: {error.line}")
