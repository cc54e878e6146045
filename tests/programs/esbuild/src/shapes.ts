abstract class Shape {
  constructor(protected readonly size: number) {}
  abstract area(): number;
}

class Square extends Shape {
  area() {
    return this.size * this.size;
  }
}

class Circle extends Shape {
  area() {
    return Math.PI * this.size ** 2;
  }
}

export const all = (): Shape[] => [new Square(2), new Circle(1), ...(globalThis as any).extra ?? []];
