import { mkdir, open, stat } from 'node:fs/promises';
import { ConfigError } from '../pod/config-error.ts';

/** Checks, and where asked makes, what a hostPath volume names. https://kubernetes.io/docs/concepts/storage/volumes/#hostpath */
export async function checkHostPath(path: string, type: string | undefined): Promise<void> {
  if (!type) return;
  const found = await stat(path).catch(() => undefined);
  const fail = (what: string): never => {
    throw new ConfigError(`hostPath type check failed: ${path} is not ${what}`);
  };
  switch (type) {
    case 'DirectoryOrCreate':
      if (!found) await mkdir(path, { recursive: true, mode: 0o755 });
      else if (!found.isDirectory()) fail('a directory');
      return;
    case 'Directory':
      return found?.isDirectory() ? undefined : fail('a directory');
    case 'FileOrCreate':
      if (!found) await (await open(path, 'a', 0o644)).close();
      else if (!found.isFile()) fail('a file');
      return;
    case 'File':
      return found?.isFile() ? undefined : fail('a file');
    case 'Socket':
      return found?.isSocket() ? undefined : fail('a socket file');
    case 'CharDevice':
      return found?.isCharacterDevice() ? undefined : fail('a character device');
    case 'BlockDevice':
      return found?.isBlockDevice() ? undefined : fail('a block device');
    default:
      throw new ConfigError(`unknown hostPath type ${type}`);
  }
}
