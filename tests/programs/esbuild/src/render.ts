export interface Options {
  level: number;
  name: string;
}

export type Node = string | { tag: string; props: Record<string, unknown>; children: Node[] };

export function h(tag: string | Function, props: Record<string, unknown> | null, ...children: any[]): Node {
  if (typeof tag === "function") return tag({ ...props, children });
  return { tag, props: props ?? {}, children: children.flat() };
}

export const Fragment = "fragment";

export function render(node: Node, { level = 0, name }: Options): string {
  if (typeof node === "string") return node;
  const inner = node.children?.map((child) => render(child, { level: level - 1, name })).join("");
  return `<${node.tag} data-level="${level}" data-name='${name}'>${inner}</${node.tag}>`;
}

export function neverUsed() {
  return "tree shaking removes this";
}
