import { readFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';

/** A configuration that can't be used. The message names the file and the field, and says what is expected. */
export class ConfigError extends Error {
  constructor(field: string, expected: string) {
    super(`${field}: ${expected}`);
    this.name = 'ConfigError';
  }
}

/**
 * Reads one level of a configuration: each getter checks one field, and `end` refuses fields that nobody
 * asked for, which catches misspelt ones.
 */
export class ConfigReader {
  private readonly values: Record<string, unknown>;
  private readonly path: string;
  private readonly known = new Set<string>();
  private readonly nested: ConfigReader[] = [];

  constructor(values: unknown, path = '') {
    if (typeof values !== 'object' || values === null || Array.isArray(values)) {
      throw new ConfigError(path || 'configuration', 'must be an object');
    }
    this.values = values as Record<string, unknown>;
    this.path = path;
  }

  has(field: string): boolean {
    this.known.add(field);
    return this.values[field] !== undefined;
  }

  string(field: string, fallback?: string): string {
    return this.checked(field, fallback, 'a non-empty string', (value) => typeof value === 'string' && value !== '');
  }

  /** An absolute path, so that it means the same from every working directory. */
  absolutePath(field: string, fallback?: string): string {
    return this.checked(field, fallback, 'an absolute path', (value) => typeof value === 'string' && isAbsolute(value));
  }

  /** The content of the file that the field names. */
  file(field: string): Buffer {
    const path = this.absolutePath(field);
    try {
      return readFileSync(path);
    } catch (error) {
      throw new ConfigError(this.name(field), `cannot read ${path}: ${(error as NodeJS.ErrnoException).code}`);
    }
  }

  boolean(field: string, fallback?: boolean): boolean {
    return this.checked(field, fallback, 'true or false', (value) => typeof value === 'boolean');
  }

  integer(field: string, range: { min: number; max: number }, fallback?: number): number {
    return this.checked(
      field,
      fallback,
      `a whole number from ${range.min} to ${range.max}`,
      (value) => Number.isInteger(value) && (value as number) >= range.min && (value as number) <= range.max,
    );
  }

  port(field: string, fallback?: number): number {
    return this.integer(field, { min: 0, max: 65_535 }, fallback);
  }

  strings(field: string, fallback?: string[]): string[] {
    return this.checked(
      field,
      fallback,
      'a list of strings',
      (value) => Array.isArray(value) && value.every((entry) => typeof entry === 'string' && entry !== ''),
    );
  }

  /** Texts by name. */
  stringMap(field: string, fallback?: Record<string, string>): Record<string, string> {
    return this.checked(
      field,
      fallback,
      'an object of strings',
      (value) =>
        typeof value === 'object' &&
        value !== null &&
        !Array.isArray(value) &&
        Object.values(value).every((entry) => typeof entry === 'string'),
    );
  }

  oneOf<T extends string>(field: string, allowed: readonly T[], fallback?: T): T {
    return this.checked(field, fallback, `one of ${allowed.join(', ')}`, (value) => allowed.includes(value as T));
  }

  object(field: string): ConfigReader {
    this.known.add(field);
    const reader = new ConfigReader(this.values[field], this.name(field));
    this.nested.push(reader);
    return reader;
  }

  /** A list of objects. */
  objects(field: string): ConfigReader[] {
    const values = this.checked<unknown[]>(field, undefined, 'a list of objects', Array.isArray);
    const readers = values.map((value, at) => new ConfigReader(value, `${this.name(field)}[${at}]`));
    this.nested.push(...readers);
    return readers;
  }

  /** Refuses unknown fields, here and in every nested object that was read. */
  end(): void {
    for (const field of Object.keys(this.values)) {
      if (!this.known.has(field)) {
        throw new ConfigError(this.name(field), `unknown field; known: ${[...this.known].sort().join(', ')}`);
      }
    }
    for (const reader of this.nested) reader.end();
  }

  /** What to throw when a field can't be used. */
  error(field: string, expected: string): ConfigError {
    return new ConfigError(this.name(field), expected);
  }

  private name(field: string): string {
    return this.path ? `${this.path}.${field}` : field;
  }

  private checked<T>(field: string, fallback: T | undefined, expected: string, holds: (value: unknown) => boolean): T {
    this.known.add(field);
    const value = this.values[field];
    if (value === undefined) {
      if (fallback !== undefined) return fallback;
      throw new ConfigError(this.name(field), `is required: ${expected}`);
    }
    if (!holds(value)) throw new ConfigError(this.name(field), `must be ${expected}, not ${JSON.stringify(value)}`);
    return value as T;
  }
}

/**
 * The configuration of a process started as `main.js --config FILE`, a JSON file. `shape` picks the fields it
 * knows; anything else in the file is an error. Throws ConfigError.
 */
export function readConfig<T>(argv: readonly string[], shape: (reader: ConfigReader) => T): T {
  const at = argv.indexOf('--config');
  const file = at < 0 ? undefined : argv[at + 1];
  if (!file) throw new ConfigError('--config', 'is required: the path of a JSON file');
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new ConfigError('--config', `cannot read ${file}: ${(error as Error).message}`);
  }
  const reader = new ConfigReader(parsed);
  const config = shape(reader);
  reader.end();
  return config;
}
