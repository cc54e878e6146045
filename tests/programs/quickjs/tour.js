// A tour of the language; prints the same wherever QuickJS runs.
import * as std from "qjs:std";

class Shape {
  #name;
  static count = 0;
  constructor(name) {
    this.#name = name;
    Shape.count++;
  }
  get name() {
    return this.#name;
  }
  area() {
    return 0;
  }
  toString() {
    return `${this.name}:${this.area().toFixed(2)}`;
  }
}
class Square extends Shape {
  constructor(side) {
    super("square");
    this.side = side;
  }
  area() {
    return this.side ** 2;
  }
}
print([new Square(1.5), new Shape("none")].map(String).join(), Shape.count, new Square(2) instanceof Shape);

function* primes() {
  const found = [];
  for (let n = 2; ; n++) {
    if (found.every((p) => n % p)) {
      found.push(n);
      yield n;
    }
  }
}
const first = [];
for (const p of primes()) {
  if (first.push(p) === 200) break;
}
print(first.slice(0, 10), first.at(-1));

const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));
print(fib(22), (() => { let a = 0n, b = 1n; for (let i = 0; i < 500; i++) [a, b] = [b, a + b]; return a; })());
print(0.1 + 0.2, (1e21).toString(), (255).toString(36), parseFloat("3.14abc"), Number("0x1f"), (25.5).toExponential(3), -0 === 0, Object.is(-0, 0), 5e-324, 1.7976931348623157e308);
print(Math.max(...[3, 9, 2]), Math.hypot(3, 4), Math.clz32(1), Math.fround(5.5), Math.imul(0xffffffff, 5), Math.trunc(-4.7), Math.sign(-3));

const text = "The quick brown fox — jumps över the lazy dog, 2024-02-29!";
print(text.replace(/(\w+) (\w+)/u, "$2 $1"), [...text.matchAll(/\b\w{5}\b/g)].map((m) => m[0] + m.index));
print(text.match(/(?<y>\d{4})-(?<m>\d\d)/).groups.y, /^\p{Lu}/u.test(text), "a-b_c".split(/[-_]/), "x".padStart(4, "ab"), "ß".toUpperCase(), "Å" === "Å".normalize());
print(JSON.stringify({ b: [1, , null, undefined, NaN], a: { nested: "q\"\n\u2028" }, d: new Date(86400000) }, null, 1));
print(JSON.parse('{"x": [1, 2, {"y": null}]}', (k, v) => (typeof v === "number" ? v * 2 : v)).x[2].y);

const map = new Map([["a", 1], [NaN, 2]]);
const set = new Set([1, 2, 2, 3]);
print(map.get(NaN), [...set], new WeakMap() instanceof WeakMap, Object.entries({ z: 1, a: 2, 1: 3 }).flat());
const { a, ...rest } = { a: 1, b: 2, c: 3 };
print(a, JSON.stringify(rest), [1, [2, [3, [4]]]].flat(Infinity), [5, 1, 10].sort(), [5, 1, 10].toSorted((x, y) => x - y), Object.groupBy([1, 2, 3], (n) => (n % 2 ? "odd" : "even")).odd);
const bytes = new Uint8Array([1, 2, 250]);
const view = new DataView(new ArrayBuffer(16));
view.setFloat64(0, Math.PI);
view.setBigInt64(8, -5n, true);
print(bytes.map((b) => b * 2), view.getUint32(0).toString(16), view.getBigInt64(8, true), new Float32Array([0.1])[0]);
const proxy = new Proxy({}, { get: (t, key) => `got ${String(key)}`, has: () => true });
print(proxy.anything, "x" in proxy, Reflect.ownKeys({ [Symbol.iterator]: 1, k: 2 }).length, typeof Symbol("s"));

try {
  null.property;
} catch (error) {
  print(error instanceof TypeError, error.message);
} finally {
  print("finally");
}
const order = [];
const sleep = (name, turns) => (turns === 0 ? Promise.resolve(order.push(name)) : Promise.resolve().then(() => sleep(name, turns - 1)));
await Promise.all([sleep("slow", 3), sleep("fast", 1), (async () => { for await (const n of [1, Promise.resolve(2)]) order.push(n); })()]);
print(order.join(), await Promise.allSettled([Promise.reject(new Error("no")), 5]).then((r) => r.map((x) => x.status)));

let state = 12345;
const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0);
const numbers = Array.from({ length: 20000 }, random);
numbers.sort((x, y) => x - y);
print(numbers[0], numbers[10000], numbers.reduce((sum, n) => (sum + n) % 1000003, 0));
const queens = (n, row = 0, cols = 0, left = 0, right = 0) => {
  if (row === n) return 1;
  let count = 0;
  for (let free = ((1 << n) - 1) & ~(cols | left | right); free; free &= free - 1) {
    const bit = free & -free;
    count += queens(n, row + 1, cols | bit, (left | bit) << 1, (right | bit) >> 1);
  }
  return count;
};
print(queens(7), eval("1 + 2 * 3"), new Function("a", "b", "return a ** b")(2, 10));

std.writeFile("out.txt", "written by a script\n".repeat(100));
print(std.loadFile("out.txt").length, std.loadFile("absent"), std.getenv("GREETING"), scriptArgs.slice(1).join("|"));
for (let line; (line = std.in.getline()) !== null; ) print("stdin:", line);
std.exit(7);
