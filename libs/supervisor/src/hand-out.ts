import { chmodSync, copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import type { ClusterFolder } from './cluster-folder.ts';
import { COMPONENT_NAMES } from './components.ts';

const PRIVATE = 0o700;

/** A member of etcd shows the same certificate to clients and to the other members. */
const etcdFiles = ({ pki }: ClusterFolder): string[] =>
  ['ca.crt', 'server.crt', 'server.key'].map((name) => join(pki, 'etcd', name));

/** The files below `folder` that a configuration names, wherever in it. */
function filesNamed(value: unknown, folder: string): string[] {
  if (typeof value === 'string') return value.startsWith(folder + sep) ? [value] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap((member) => filesNamed(member, folder));
}

/**
 * Gives each program of a configured cluster a folder below `to` with its configuration and the files that this names,
 * and nothing else; etcd has one too. Each file lies there as it does in the cluster's folder, so that the configuration
 * is right where the folder is seen in that one's place. Returns the folders.
 */
export function handOut(folder: ClusterFolder, to: string): string[] {
  const needs = COMPONENT_NAMES.map((name): [string, string[]] => {
    const configuration = join(folder.config, `${name}.json`);
    return [name, [configuration, ...filesNamed(JSON.parse(readFileSync(configuration, 'utf8')), folder.path)]];
  });
  return [['etcd', etcdFiles(folder)] as const, ...needs].map(([name, files]) => {
    const own = join(to, name);
    for (const file of files) {
      const copy = join(own, relative(folder.path, file));
      mkdirSync(dirname(copy), { recursive: true, mode: PRIVATE });
      copyFileSync(file, copy);
    }
    chmodSync(own, PRIVATE);
    return own;
  });
}
