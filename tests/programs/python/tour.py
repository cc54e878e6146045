"""A tour of the language and its library; what it prints does not depend on the Python that runs it (3.11 or newer)."""
import base64
import bisect
import collections
import contextlib
import csv
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import hashlib
import heapq
import io
import itertools
import json
import math
import random
import re
import statistics
import string
import struct
import sys
import textwrap
import typing
import zlib


@dataclasses.dataclass(order=True)
class Point:
    x: int
    y: int = 0
    tags: list = dataclasses.field(default_factory=list, compare=False)

    @property
    def norm(self) -> float:
        return math.hypot(self.x, self.y)


class Color(enum.Enum):
    RED = 1
    GREEN = enum.auto()


class Node(typing.NamedTuple):
    value: int
    rest: typing.Any = None


def fib(n, memo={0: 0, 1: 1}):
    if n not in memo:
        memo[n] = fib(n - 1) + fib(n - 2)
    return memo[n]


@functools.lru_cache(maxsize=None)
def ways(amount, coins):
    if amount == 0:
        return 1
    if amount < 0 or not coins:
        return 0
    return ways(amount - coins[0], coins) + ways(amount, coins[1:])


def classes():
    points = sorted([Point(3, 4, ["a"]), Point(1), Point(3, 1)])
    print(points, points[-1].norm, dataclasses.asdict(points[-1]))
    print(Color.GREEN, list(Color), Node(1, Node(2)))
    match {"kind": "circle", "size": [1, 2, 3]}:
        case {"kind": "square"}:
            print("square")
        case {"kind": str(kind), "size": [first, *rest]}:
            print(kind, first, rest)


def errors():
    try:
        try:
            {}["absent"]
        except KeyError as error:
            raise ValueError("wrapped") from error
    except ValueError as error:
        print(repr(error), repr(error.__cause__))
    finally:
        print("finally")
    with contextlib.suppress(ZeroDivisionError):
        print(1 // 0)
    try:
        raise ExceptionGroup("several", [TypeError("a"), OSError("b")])
    except* TypeError as group:
        print("types", [str(e) for e in group.exceptions])
    except* OSError as group:
        print("system", [str(e) for e in group.exceptions])
    try:
        def endless(n):
            return endless(n + 1) + 1
        sys.setrecursionlimit(200)
        endless(0)
    except RecursionError as error:
        print(type(error).__name__, "recursion" in str(error))
    finally:
        sys.setrecursionlimit(1000)


def numbers():
    print(fib(150), ways(200, (50, 20, 10, 5, 2, 1)), 2**521 % 1000000007, pow(3, 10**12, 10**9 + 7))
    print(0.1 + 0.2, 1e300 * 1e10, float("nan") != float("nan"), round(2.675, 2), -7 // 2, -7 % 3, divmod(7.5, -2))
    print(decimal.Decimal(1) / 7, fractions.Fraction(355, 113) - 3, math.comb(60, 30), math.isqrt(10**40))
    print(f"{math.pi:.10f} {255:#x} {1234567.891:,.2f} {'mid':^9}| {0.000012345:g} {5:08b}", 3 + 4j, abs(3 + 4j))
    print(statistics.median([5, 1, 9]), statistics.pstdev([1, 2, 3, 4]))
    generator = random.Random(42)
    print([generator.randrange(1000) for _ in range(8)], generator.random(), generator.sample(range(50), 5))
    print(struct.pack("<ihqd", -1, 2, 1 << 40, 0.5).hex(), struct.unpack(">I", b"\x12\x34\x56\x78"))


def texts():
    text = "Grüße, Wörld! ÄÖÜ ß 漢字 \N{SNOWMAN}"
    print(text.upper(), text.casefold(), len(text), len(text.encode()), text[::-1])
    print(re.findall(r"(?P<word>\w{5,})", text), re.sub(r"(\w)(\w*)", lambda m: m[2] + m[1], "swap these words"))
    print(re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", "2024-02-29").groups(), re.split(r"[,;]\s*", "a, b;c,d"))
    print(textwrap.fill("the quick brown fox jumps over the lazy dog " * 3, 30))
    print(string.Template("$who likes $what").substitute(who="she", what="it"), "a,b,,c".split(","), " x ".strip())
    print(json.dumps({"k": [1, 2.5, None, True, "\u00e9\n"], "n": {"z": {}}}, sort_keys=True, indent=1))
    print(json.loads('{"a": [1e3, -0.0, "\\u20ac"], "b": {"c": null}}'))
    out = io.StringIO()
    csv.writer(out).writerows([["a", "b,c", 'd"e'], [1, 2.5, None]])
    print(repr(out.getvalue()), list(csv.DictReader(io.StringIO("x,y\n1,2\n"))))


def containers():
    print(collections.Counter("mississippi").most_common(2), collections.deque([1, 2, 3], maxlen=2))
    groups = collections.defaultdict(list)
    for word in "the quick brown fox jumps over the lazy dog".split():
        groups[len(word)].append(word)
    print(dict(groups), {1, 2, 3} & {2, 3, 4}, {**{"a": 1}, "b": 2}, [*range(3), *"ab"])
    print(list(itertools.permutations("abc", 2)), list(itertools.accumulate(range(6))), [*zip("ab", [1, 2])])
    heap = [5, 1, 8, 3]
    heapq.heapify(heap)
    print([heapq.heappop(heap) for _ in range(4)], bisect.bisect([1, 3, 5], 4))
    squares = {n: n * n for n in range(2000)}
    print(sum(v for k, v in squares.items() if k % 3 == 0), len({hash((a, b)) for a in range(30) for b in range(30)}))


def coroutines():
    def averager():
        total, count, mean = 0, 0, None
        while True:
            value = yield mean
            total, count = total + value, count + 1
            mean = total / count

    a = averager()
    next(a)
    print([a.send(v) for v in (10, 20, 60)])

    def flatten(tree):
        for item in tree:
            if isinstance(item, list):
                yield from flatten(item)
            else:
                yield item

    print(list(flatten([1, [2, [3, [4]], 5]])))


def bytes_and_hashes():
    data = bytes(range(256)) * 400
    for name in ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b"):
        print(name, hashlib.new(name, data).hexdigest()[:32])
    packed = zlib.compress(data, 9)
    print(zlib.decompress(packed) == data, zlib.crc32(data), base64.b64encode(data[:10]), len(packed) < 2000)
    print(datetime.datetime(2024, 2, 29, 12, 30) + datetime.timedelta(days=366), datetime.date(2026, 1, 1).isocalendar())


def work():
    sieve = bytearray([1]) * 30000
    for i in range(2, 174):
        if sieve[i]:
            sieve[i * i::i] = bytes(len(range(i * i, 30000, i)))
    print(sum(sieve) - 2)
    grid = [[(x * y) % 7 for x in range(30)] for y in range(30)]
    product = [[sum(a * b for a, b in zip(row, column)) for column in zip(*grid)] for row in grid]
    print(sum(map(sum, product)), sorted(str(n) for n in range(300))[100:105])


for part in (classes, errors, numbers, texts, containers, coroutines, bytes_and_hashes, work):
    print("==", part.__name__)
    part()
