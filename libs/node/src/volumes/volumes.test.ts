import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PersistentVolume } from '@periplus/api';
import { afterAll, describe, expect, it } from 'vitest';
import { aPod, NOW } from '../pod/pod-fixtures.ts';
import type { Volume } from '../pod/pod-types.ts';
import { showFiles } from './atomic-directory.ts';
import { checkHostPath } from './host-path.ts';
import { checkPlugin } from './mount-error.ts';
import {
  type ObjectData,
  type VolumeFiles,
  type VolumeSources,
  volumeFiles,
  volumeReferences,
} from './volume-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'periplus-volumes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const data = (text: Record<string, string>): ObjectData => ({
  text,
  files: new Map(Object.entries(text).map(([key, value]) => [key, Buffer.from(value)])),
});
const sources: VolumeSources = {
  pod: aPod({}, { labels: { app: 'web' } }),
  node: { name: 'node-1', addresses: [], allocatable: { cpu: '2' } },
  podAddresses: [],
  configMap: (name) => (name === 'config' ? data({ a: '1', b: '2' }) : undefined),
  secret: (name) => (name === 'secret' ? data({ password: 'hush' }) : undefined),
  token: ({ audience }) => ({ token: `token for ${audience || 'the API'}`, renewAtMs: 0 }),
};
const shown = (volume: Omit<Volume, 'name'>): Record<string, string> =>
  Object.fromEntries(
    [...volumeFiles({ name: 'v', ...volume }, sources)].map(([path, file]) => [
      path,
      `${file.mode.toString(8)} ${file.content}`,
    ]),
  );

describe('volumeFiles', () => {
  it.each<[string, Omit<Volume, 'name'>, Record<string, string>]>([
    ['every key of a ConfigMap', { configMap: { name: 'config' } }, { a: '644 1', b: '644 2' }],
    [
      'chosen keys under other names',
      {
        configMap: {
          name: 'config',
          defaultMode: 0o400,
          items: [
            { key: 'a', path: 'x/y' },
            { key: 'b', path: 'b', mode: 0o600 },
          ],
        },
      },
      { 'x/y': '400 1', b: '600 2' },
    ],
    ['a Secret', { secret: { secretName: 'secret', defaultMode: 0o400 } }, { password: '400 hush' }],
    ['nothing of what is optional and not there', { configMap: { name: 'nope', optional: true } }, {}],
    [
      'fields of the pod',
      { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
      { labels: '644 app="web"' },
    ],
    [
      'several sources together',
      {
        projected: {
          sources: [
            { serviceAccountToken: { path: 'token', audience: 'vault' } },
            { configMap: { name: 'config', items: [{ key: 'a', path: 'ca.crt' }] } },
            { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
          ],
        },
      },
      { token: '644 token for vault', 'ca.crt': '644 1', namespace: '644 default' },
    ],
  ])('shows %s', (_, volume, expected) => {
    expect(shown(volume)).toEqual(expected);
  });

  it.each<[Omit<Volume, 'name'>, string]>([
    [{ configMap: { name: 'nope' } }, 'configmap "nope" not found'],
    [{ secret: { secretName: 'nope' } }, 'secret "nope" not found'],
    [
      { configMap: { name: 'config', items: [{ key: 'c', path: 'c' }] } },
      'configmap references non-existent config key: c',
    ],
    [{ secret: { secretName: 'secret', items: [{ key: 'c', path: 'c' }] } }, 'references non-existent secret key: c'],
    [{ configMap: { name: 'config', items: [{ key: 'a', path: '../../etc/passwd' }] } }, 'invalid path'],
  ])('refuses %j', (volume, message) => {
    expect(() => shown(volume)).toThrow(message);
  });

  it('knows what a pod needs', () => {
    const pod = aPod({
      volumes: [
        { name: 'a', configMap: { name: 'config' } },
        { name: 'b', projected: { sources: [{ secret: { name: 's' } }, { serviceAccountToken: { path: 't' } }] } },
      ],
    });
    expect(volumeReferences(pod)).toEqual({
      configMaps: new Set(['config']),
      secrets: new Set(['s']),
      tokens: [{ audience: '', expirationSeconds: 3_600 }],
    });
  });
});

describe('showFiles', () => {
  const files = (of: Record<string, string>): VolumeFiles =>
    new Map(Object.entries(of).map(([path, text]) => [path, { content: Buffer.from(text), mode: 0o640 }]));
  const visible = (directory: string): string[] => readdirSync(directory).filter((name) => !name.startsWith('..'));

  it('replaces all files at once, by one link', async () => {
    const directory = join(folder, 'atomic');
    expect(await showFiles(directory, files({ a: '1', 'd/b': '2' }), undefined, NOW)).toBe(true);
    expect(visible(directory)).toEqual(['a', 'd']);
    expect(readFileSync(join(directory, 'd/b'), 'utf8')).toBe('2');
    expect(statSync(join(directory, 'a')).mode & 0o777).toBe(0o640);
    expect(readlinkSync(join(directory, 'a'))).toBe('..data/a');

    const before = readlinkSync(join(directory, '..data'));
    expect(await showFiles(directory, files({ a: '1', 'd/b': '2' }), undefined, NOW)).toBe(false);
    expect(readlinkSync(join(directory, '..data'))).toBe(before);

    expect(await showFiles(directory, files({ a: '3', c: '4' }), undefined, NOW + 1)).toBe(true);
    expect(visible(directory)).toEqual(['a', 'c']);
    expect(readFileSync(join(directory, 'a'), 'utf8')).toBe('3');
    expect(readdirSync(directory).filter((name) => name.startsWith('..2'))).toHaveLength(1);
  });

  it('takes away what an interrupted change left', async () => {
    const directory = join(folder, 'interrupted');
    await showFiles(directory, files({ a: '1' }), undefined, NOW);
    mkdirSync(join(directory, '..2020_01_01_00_00_00.1'));
    await showFiles(directory, files({ a: '2' }), undefined, NOW + 1);
    expect(readdirSync(directory).filter((name) => name.startsWith('..2'))).toHaveLength(1);
  });
});

describe('checkHostPath', () => {
  it('makes what may be made and refuses what is something else', async () => {
    await checkHostPath(join(folder, 'made'), 'DirectoryOrCreate');
    await checkHostPath(join(folder, 'made'), 'Directory');
    await checkHostPath(join(folder, 'file'), 'FileOrCreate');
    writeFileSync(join(folder, 'other'), '');
    await expect(checkHostPath(join(folder, 'other'), 'Directory')).rejects.toThrow('is not a directory');
    await expect(checkHostPath(join(folder, 'absent'), 'File')).rejects.toThrow('is not a file');
    await checkHostPath(join(folder, 'absent'), '');
  });
});

describe('checkPlugin', () => {
  const claimed = (spec: PersistentVolume['spec']): PersistentVolume => ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'pv' },
    spec,
  });
  const ofClaim = { persistentVolumeClaim: { claimName: 'data' } };
  const noPlugin = (name: string): string =>
    `Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to process volumes=[v]: failed to get Plugin from volumeSpec for volume "${name}" err=no volume plugin matched`;
  const noDriver = 'driver name disks not found in the list of registered CSI drivers';

  it.each<[string, Omit<Volume, 'name'>, PersistentVolume['spec'] | null]>([
    ['an empty directory', { emptyDir: {} }, null],
    ['a directory of the node', { hostPath: { path: '/x' } }, null],
    ['files', { projected: {} }, null],
    ['a claim of a directory', ofClaim, { hostPath: { path: '/x' } }],
    ['a claim of a local volume', ofClaim, { local: { path: '/x' } }],
  ])('lets %s pass', (_what, volume, behind) => {
    expect(() => checkPlugin({ name: 'v', ...volume }, behind ? claimed(behind) : undefined)).not.toThrow();
  });

  it.each<[string, Omit<Volume, 'name'>, PersistentVolume['spec'] | null, string]>([
    ['a network file system', { nfs: { server: 'x', path: '/' } }, null, noPlugin('v')],
    ['a claim of one', ofClaim, { nfs: { server: 'x', path: '/' } }, noPlugin('pv')],
    [
      'what a driver mounts',
      { csi: { driver: 'disks' } },
      null,
      `MountVolume.SetUp failed for volume "v" : kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: ${noDriver}`,
    ],
    [
      'a claim of such',
      ofClaim,
      { csi: { driver: 'disks', volumeHandle: 'h' } },
      `MountVolume.MountDevice failed for volume "pv" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: ${noDriver}`,
    ],
  ])('says why it refuses %s', (_what, volume, behind, message) => {
    expect(() => checkPlugin({ name: 'v', ...volume }, behind ? claimed(behind) : undefined)).toThrow(message);
  });
});
