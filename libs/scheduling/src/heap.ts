/** A binary heap: the value that comes before all others is at hand, and adding or taking costs the depth of a tree. */
export class Heap<Value> {
  private readonly before: (a: Value, b: Value) => boolean;
  private readonly values: Value[] = [];

  constructor(before: (a: Value, b: Value) => boolean) {
    this.before = before;
  }

  get size(): number {
    return this.values.length;
  }

  peek(): Value | undefined {
    return this.values[0];
  }

  push(value: Value): void {
    const { values } = this;
    let at = values.length;
    values.push(value);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.before(value, values[parent]!)) break;
      values[at] = values[parent]!;
      at = parent;
    }
    values[at] = value;
  }

  pop(): Value | undefined {
    const { values } = this;
    const first = values[0];
    const last = values.pop();
    if (values.length > 0) this.sink(last!);
    return first;
  }

  /** Puts a value at the top and lets it sink to its place. */
  private sink(value: Value): void {
    const { values } = this;
    let at = 0;
    for (let child = 1; child < values.length; child = 2 * at + 1) {
      if (child + 1 < values.length && this.before(values[child + 1]!, values[child]!)) child += 1;
      if (!this.before(values[child]!, value)) break;
      values[at] = values[child]!;
      at = child;
    }
    values[at] = value;
  }
}
