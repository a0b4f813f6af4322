import { NESTING_MAX, TOO_DEEP } from '@periplus/apimachinery';

/**
 * Where and how a text stops being JSON, in the words of Go's encoding/json, which users of Kubernetes know:
 * `invalid character 'b' looking for beginning of object key string`. Only looked for after JSON.parse refused.
 */
export function goJsonError(text: string): string {
  try {
    const scan = new Scan(text);
    scan.value();
    scan.space();
    if (!scan.ended) return scan.unexpected('after top-level value').message;
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
  return 'unexpected end of JSON input';
}

const LITERALS: Readonly<Record<string, string>> = { t: 'true', f: 'false', n: 'null' };
const isDigit = (char: string): boolean => char >= '0' && char <= '9' && char.length === 1;
class Scan {
  private readonly text: string;
  private at = 0;
  private depth = 0;

  constructor(text: string) {
    this.text = text;
  }

  get ended(): boolean {
    return this.at >= this.text.length;
  }

  /** A method, since the compiler takes a property for unchanged between two looks at it. */
  private char(): string {
    return this.text.charAt(this.at);
  }

  unexpected(where: string): SyntaxError {
    if (this.ended) return new SyntaxError('unexpected end of JSON input');
    const char = String.fromCodePoint(this.text.codePointAt(this.at)!);
    return new SyntaxError(`invalid character ${quoted(char)} ${where}`);
  }

  space(): void {
    while (!this.ended && ' \t\r\n'.includes(this.char())) this.at++;
  }

  value(): void {
    this.space();
    const char = this.char();
    if (char === '{') this.members('}', () => this.member());
    else if (char === '[') this.members(']', () => this.value());
    else if (char === '"') this.string();
    else if (char === '-' || isDigit(char)) this.number();
    else if (LITERALS[char]) this.literal(LITERALS[char]);
    else throw this.unexpected('looking for beginning of value');
  }

  private members(close: '}' | ']', next: () => void): void {
    if (++this.depth > NESTING_MAX) throw new SyntaxError(TOO_DEEP);
    this.at++;
    this.space();
    let first = true;
    while (first ? this.char() !== close : true) {
      next();
      first = false;
      this.space();
      if (this.char() === close) break;
      if (this.char() !== ',')
        throw this.unexpected(close === '}' ? 'after object key:value pair' : 'after array element');
      this.at++;
    }
    this.at++;
    this.depth--;
  }

  private member(): void {
    this.space();
    if (this.char() !== '"') throw this.unexpected('looking for beginning of object key string');
    this.string();
    this.space();
    if (this.char() !== ':') throw this.unexpected('after object key');
    this.at++;
    this.value();
  }

  private string(): void {
    this.at++;
    for (; this.char() !== '"'; this.at++) {
      if (this.ended || this.char() < ' ') throw this.unexpected('in string literal');
      if (this.char() === '\\') this.escape();
    }
    this.at++;
  }

  private escape(): void {
    this.at++;
    if (this.char() === 'u') {
      for (let digits = 0; digits < 4; digits++) {
        this.at++;
        if (!/^[0-9a-fA-F]$/.test(this.char())) throw this.unexpected('in \\u hexadecimal character escape');
      }
    } else if (this.ended || !'"\\/bfnrt'.includes(this.char())) {
      throw this.unexpected('in string escape code');
    }
  }

  private number(): void {
    if (this.char() === '-') this.at++;
    if (this.char() === '0') this.at++;
    else this.digits('in numeric literal');
    if (this.char() === '.') {
      this.at++;
      this.digits('after decimal point in numeric literal');
    }
    if (this.char() === 'e' || this.char() === 'E') {
      this.at++;
      if (this.char() === '+' || this.char() === '-') this.at++;
      this.digits('in exponent of numeric literal');
    }
  }

  private digits(where: string): void {
    if (!isDigit(this.char())) throw this.unexpected(where);
    while (isDigit(this.char())) this.at++;
  }

  private literal(word: string): void {
    for (const expected of word) {
      if (this.char() !== expected) throw this.unexpected(`in literal ${word} (expecting '${expected}')`);
      this.at++;
    }
  }
}

/** As Go quotes a character. */
function quoted(char: string): string {
  if (char === "'") return `'\\''`;
  if (char === '"') return `'"'`;
  const text = JSON.stringify(char);
  return `'${text.slice(1, -1)}'`;
}
