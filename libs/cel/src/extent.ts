/** How large a value may become. */
export interface Extent {
  /** Characters of a text, elements of a list or map; 1 for what has one size. */
  readonly length: number;
  /** Of the elements of a list, and of the keys and values of a map; null where there are none. */
  readonly item: Extent | null;
  /** Whether what is in it is found by its key, without looking at the rest. */
  readonly isKeyed?: boolean;
  /** Of what is known by its name. */
  readonly fields?: Readonly<Record<string, Extent>>;
}

export const SCALAR: Extent = { length: 1, item: null };

/** As large as each of them. */
export function largest(extents: readonly (Extent | null)[]): Extent | null {
  const known = extents.filter((extent) => extent !== null);
  if (known.length <= 1) return known[0] ?? null;
  const item = largest(known.flatMap(({ item, fields = {} }) => [item, ...Object.values(fields)]));
  return { length: Math.max(...known.map(({ length }) => length)), item };
}
