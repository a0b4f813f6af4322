const MEMBER = '"ownerReferences":[';
const [QUOTE, BACKSLASH, BRACE, END_BRACE, BRACKET, END_BRACKET] = [0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d];

/**
 * The text of `metadata.ownerReferences` in compact JSON, '' when there are none: the owners of an object, without
 * parsing it. `from` is where the members of the metadata begin.
 */
export function ownerReferencesText(json: Buffer, from: number): string {
  const at = json.indexOf(MEMBER, from);
  // Behind the end of the metadata it is somebody else's: of a template, say.
  if (at === -1 || closedAt(json, from, at) < at) return '';
  const start = at + MEMBER.length;
  return json.toString('utf8', start - 1, closedAt(json, start, json.length) + 1);
}

/** Where that is closed which is open at `from`; `to` when that is not before. What stands in strings counts for nothing. */
function closedAt(json: Buffer, from: number, to: number): number {
  let depth = 0;
  for (let at = from; at < to; at += 1) {
    const byte = json[at];
    if (byte === QUOTE) at = stringEnd(json, at);
    else if (byte === BRACE || byte === BRACKET) depth += 1;
    else if (byte === END_BRACE || byte === END_BRACKET) {
      if (depth === 0) return at;
      depth -= 1;
    }
  }
  return to;
}

/** The closing quote of the string that opens at `from`. */
function stringEnd(json: Buffer, from: number): number {
  let at = from + 1;
  for (; at < json.length && json[at] !== QUOTE; at += 1) if (json[at] === BACKSLASH) at += 1;
  return at;
}
