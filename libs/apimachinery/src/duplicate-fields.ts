import type { JsonValue } from './object.ts';

/** As many duplicates as are reported; Go's decoder stops there too. */
const REPORTED_MAX = 100;

/** What is open at the moment: an object with the names seen in it, or an array with the current index. */
interface Level {
  names: Set<string> | null;
  index: number;
  name: string;
}

/**
 * The paths of members that appear twice in one object of valid JSON: `metadata.name`,
 * `spec.containers[0].image`. JSON.parse keeps the last one silently, so strict validation reads the text once more,
 * unless `parsed`, the value that JSON.parse made of it, shows that there are none.
 */
export function findDuplicateFields(json: string, parsed?: JsonValue): string[] {
  // Most clients write compact JSON, which its value makes again when it had everything once.
  if (parsed !== undefined && JSON.stringify(parsed) === json) return [];
  const duplicates: string[] = [];
  const open: Level[] = [];
  let level: Level | undefined;
  let nameComes = false;
  for (let i = 0; i < json.length; i++) {
    switch (json.charCodeAt(i)) {
      case 0x22: {
        const end = endOfString(json, i);
        if (nameComes && level?.names) {
          const name = textOfString(json, i, end);
          level.name = name;
          if (level.names.has(name)) {
            if (duplicates.length < REPORTED_MAX) duplicates.push(pathOf(open));
          } else {
            level.names.add(name);
          }
          nameComes = false;
        }
        i = end;
        break;
      }
      case 0x7b:
        level = { names: new Set(), index: 0, name: '' };
        open.push(level);
        nameComes = true;
        break;
      case 0x5b:
        level = { names: null, index: 0, name: '' };
        open.push(level);
        break;
      case 0x7d:
      case 0x5d:
        open.pop();
        level = open.at(-1);
        nameComes = false;
        break;
      case 0x2c:
        if (level?.names) nameComes = true;
        else if (level) level.index++;
        break;
    }
  }
  return [...new Set(duplicates)];
}

function endOfString(json: string, start: number): number {
  let end = json.indexOf('"', start + 1);
  // A quote behind an odd number of backslashes is part of the string.
  while (end !== -1 && isEscaped(json, end)) end = json.indexOf('"', end + 1);
  return end === -1 ? json.length : end;
}

function isEscaped(json: string, position: number): boolean {
  let backslashes = 0;
  while (json.charCodeAt(position - 1 - backslashes) === 0x5c) backslashes++;
  return backslashes % 2 === 1;
}

function textOfString(json: string, start: number, end: number): string {
  const raw = json.slice(start + 1, end);
  return raw.includes('\\') ? (JSON.parse(json.slice(start, end + 1)) as string) : raw;
}

function pathOf(open: readonly Level[]): string {
  let path = '';
  for (const { names, index, name } of open) {
    if (!names) path += `[${index}]`;
    else path += path === '' ? name : `.${name}`;
  }
  return path;
}
