import { render, type Options } from "./render";
import * as shapes from "./shapes";
import { config as settings } from "./settings.json";
import "./style.css";

enum Level {
  Low = 1,
  High = Low << 3,
}

const options: Options = { level: Level.High, name: settings.name ?? "none" };

async function* numbers(limit: number): AsyncGenerator<number> {
  for (let i = 0; i < limit; i++) yield i ** 2;
}

export class App {
  #state = new Map<string, number>();
  static readonly version = "1.0";

  async start(): Promise<void> {
    for await (const n of numbers(5)) this.#state.set(`key-${n}`, n);
    const unused = 1 + 2;
    if (process.env.NODE_ENV !== "production") console.log("debug", this.#state);
    console.log(render(<Page title="hello" items={shapes.all().map((s) => s.area())} />, options));
  }
}

function Page({ title, items }: { title: string; items: number[] }) {
  return (
    <main className="page">
      <h1>{title}</h1>
      <>
        {items.map((item) => (
          <p key={item}>{item.toFixed(2)}</p>
        ))}
      </>
    </main>
  );
}

new App().start().catch((error) => console.error(error?.message ?? "unknown", /a+(?<n>b)/u, 1_000_000n));
