/** As many as a small integer has bits. */
const TEXTS_MAX = 30;
const QUOTE = '"';
const NOTHING = /(?!)/g;

/**
 * Texts that somebody asks objects about, such as `"finalizers"`. All of them are found in one pass over an object's
 * JSON: to look for a dozen one after the other takes four times as long, and is most of what a change costs a process
 * that it does not concern.
 */
export class AskedTexts {
  readonly #bits = new Map<string, number>();
  #pattern = NOTHING;

  get count(): number {
    return this.#bits.size;
  }

  /** The bit that stands for the text. Throws when there are too many of them, or two that one place could begin. */
  bit(text: string): number {
    return this.#bits.get(text) ?? this.#add(text);
  }

  /** The bits of the texts that stand in it, of those that were asked about until now. */
  in(json: Buffer): number {
    // Each byte a character: the texts have no other than these.
    const characters = json.toString('latin1');
    const pattern = this.#pattern;
    let found = 0;
    pattern.lastIndex = 0;
    for (let match = pattern.exec(characters); match !== null; match = pattern.exec(characters)) {
      found |= this.#bits.get(match[0])!;
      // One may begin with the quote that another ends with.
      pattern.lastIndex = match.index + 1;
    }
    return found;
  }

  #add(text: string): number {
    const known = [...this.#bits.keys()];
    if (!text.startsWith(QUOTE)) throw new Error(`${text} does not begin with the quote of a name or a value`);
    if (known.some((other) => other.startsWith(text) || text.startsWith(other)))
      throw new Error(`${text} begins as another text does that is asked about`);
    if (known.length === TEXTS_MAX) throw new Error(`more than ${TEXTS_MAX} texts are asked about`);
    const bit = 1 << known.length;
    this.#bits.set(text, bit);
    const rests = [...known, text].map((one) => RegExp.escape(one.slice(QUOTE.length)));
    this.#pattern = new RegExp(`${QUOTE}(?:${rests.join('|')})`, 'g');
    return bit;
  }
}
