/** An entry of a tar archive. Owner is root; all times are the epoch, so that equal input makes equal bytes. */
export type TarEntry =
  | { path: string; type: 'file'; mode: number; content: Buffer }
  | { path: string; type: 'directory'; mode: number }
  | { path: string; type: 'symlink'; target: string };

const BLOCK_BYTES = 512;
/** The name field of ustar; our archives need no longer ones. */
const PATH_BYTES_MAX = 100;
const TYPE_FLAG = { file: '0', symlink: '2', directory: '5' } as const;

/** Writes a POSIX ustar archive. Throws RangeError when a path is over 100 bytes. */
export function writeTar(entries: readonly TarEntry[]): Buffer {
  const blocks: Buffer[] = [];
  for (const entry of entries) {
    blocks.push(headerOf(entry));
    if (entry.type !== 'file') continue;
    const padding = (BLOCK_BYTES - (entry.content.length % BLOCK_BYTES)) % BLOCK_BYTES;
    blocks.push(entry.content, Buffer.alloc(padding));
  }
  blocks.push(Buffer.alloc(2 * BLOCK_BYTES));
  return Buffer.concat(blocks);
}

function headerOf(entry: TarEntry): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  const text = (offset: number, bytes: number, value: string): void => {
    if (Buffer.byteLength(value) > bytes) throw new RangeError(`tar: "${value}" is longer than ${bytes} bytes`);
    header.write(value, offset);
  };
  const octal = (offset: number, bytes: number, value: number): void =>
    text(offset, bytes, `${value.toString(8).padStart(bytes - 1, '0')}\0`);

  text(0, PATH_BYTES_MAX, entry.type === 'directory' ? `${entry.path}/` : entry.path);
  octal(100, 8, entry.type === 'symlink' ? 0o777 : entry.mode);
  octal(108, 8, 0); // owner
  octal(116, 8, 0); // group
  octal(124, 12, entry.type === 'file' ? entry.content.length : 0);
  octal(136, 12, 0); // modification time
  header.fill(' ', 148, 156); // the checksum counts itself as spaces
  text(156, 1, TYPE_FLAG[entry.type]);
  if (entry.type === 'symlink') text(157, PATH_BYTES_MAX, entry.target);
  text(257, 8, 'ustar\x0000');
  const sum = header.reduce((total, byte) => total + byte, 0);
  text(148, 8, `${sum.toString(8).padStart(6, '0')}\0 `);
  return header;
}
