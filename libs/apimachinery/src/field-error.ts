/** Why a field is wrong. https://github.com/kubernetes/apimachinery field.ErrorType */
export type FieldErrorReason =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueDuplicate'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueNotFound'
  | 'FieldValueTypeInvalid';

export interface FieldError {
  field: string;
  reason: FieldErrorReason;
  /** Without the field: `Invalid value: "x": must be ...`. */
  message: string;
}

/** How Go prints a value in an error: strings quoted, the rest as JSON. */
const shown = (value: unknown): string => JSON.stringify(value) ?? 'null';

/**
 * A path to a field, and the maker of its errors: `at('spec').index('containers', 0).child('name').required()`.
 * Messages are worded as Kubernetes' field.Error.
 */
export class FieldPath {
  /** Validation makes many paths and needs few of their texts, so these are put together when asked for. */
  private readonly above: FieldPath | null;
  private readonly name: string;
  private readonly entry: string | number | null;

  constructor(name = '', above: FieldPath | null = null, entry: string | number | null = null) {
    this.name = name;
    this.above = above;
    this.entry = entry;
  }

  get text(): string {
    const own = this.entry === null ? this.name : `${this.name}[${this.entry}]`;
    const above = this.above?.text;
    return above ? `${above}${this.name && '.'}${own}` : own;
  }

  child(name: string, ...below: string[]): FieldPath {
    let path = new FieldPath(name, this);
    for (const next of below) path = new FieldPath(next, path);
    return path;
  }

  index(list: string, position: number): FieldPath {
    return new FieldPath(list, this, position);
  }

  /** An item of the list that this path leads to: `metadata.finalizers[0]`. */
  item(position: number): FieldPath {
    return new FieldPath('', this, position);
  }

  /** An entry of a map: `metadata.labels[app]`. */
  key(map: string, name: string): FieldPath {
    return new FieldPath(map, this, name);
  }

  private error(reason: FieldErrorReason, message: string): FieldError {
    return { field: this.text || '<nil>', reason, message };
  }

  required(detail = ''): FieldError {
    return this.error('FieldValueRequired', detail ? `Required value: ${detail}` : 'Required value');
  }

  invalid(value: unknown, detail: string): FieldError {
    return this.error('FieldValueInvalid', `Invalid value: ${shown(value)}: ${detail}`);
  }

  /** Of something that nobody wants to see in a message: a whole rule, a list of conditions. */
  wrong(detail: string): FieldError {
    return this.error('FieldValueInvalid', `Invalid value: ${detail}`);
  }

  /** Shows the supported values in the order given, which for Kubernetes is not always the alphabet's. */
  notSupported(value: unknown, supported: readonly string[]): FieldError {
    const list = supported.map(shown).join(', ');
    return this.error('FieldValueNotSupported', `Unsupported value: ${shown(value)}: supported values: ${list}`);
  }

  forbidden(detail: string): FieldError {
    return this.error('FieldValueForbidden', `Forbidden: ${detail}`);
  }

  duplicate(value: unknown): FieldError {
    return this.error('FieldValueDuplicate', `Duplicate value: ${shown(value)}`);
  }

  tooLong(lengthMax: number): FieldError {
    return this.error('FieldValueTooLong', `Too long: may not be more than ${lengthMax} bytes`);
  }

  tooMany(count: number, countMax: number): FieldError {
    return this.error('FieldValueTooMany', `Too many: ${count}: must have at most ${countMax} items`);
  }

  notFound(value: unknown, detail = ''): FieldError {
    return this.error('FieldValueNotFound', `Not found: ${shown(value)}${detail && `: ${detail}`}`);
  }

  typeInvalid(value: unknown, detail: string): FieldError {
    return this.error('FieldValueTypeInvalid', `Invalid value: ${shown(value)}: ${detail}`);
  }
}

export const at = (...names: string[]): FieldPath => new FieldPath(names.join('.'));
