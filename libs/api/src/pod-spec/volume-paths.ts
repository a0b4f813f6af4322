import type { DeepReadonly } from '@periplus/apimachinery';
import type { IVolume } from 'kubernetes-models/v1/Volume';
import type { IVolumeProjection } from 'kubernetes-models/v1/VolumeProjection';
import { type Warnings, warnOnce } from '../field-rules.ts';

type Volume = DeepReadonly<IVolume>;
type Source = DeepReadonly<IVolumeProjection>;
type Files = readonly { readonly path: string }[];

/** So many files of a volume are compared with each other. */
const COMPARED_MAX = 256;
const FEW = 16;
const NO_FILES: Files = [];

const pathsOf = (files: Files | undefined): readonly string[] => files?.map(({ path }) => path) ?? [];

const withoutSlashes = (path: string): string => (path.endsWith('/') ? path.replace(/\/+$/, '') : path);

/** By their beginnings alone, as in Kubernetes: `conf` is in the way of `config`, too. */
const overlap = (one: string, other: string): boolean =>
  one !== '' && other !== '' && (one.startsWith(other) || other.startsWith(one));

function warnOfOverlaps(warnings: Warnings, whose: string, paths: readonly string[]): void {
  const seen: string[] = [];
  for (const path of paths.slice(0, COMPARED_MAX)) {
    const bare = withoutSlashes(path);
    const other = seen.find((earlier) => overlap(earlier, bare));
    if (other !== undefined) {
      warnOnce(warnings, `${whose}: overlapping paths: ${JSON.stringify(bare)} with ${JSON.stringify(other)}`);
    }
    seen.push(bare);
  }
}

/** What a source is called, and the files that it says it makes. */
function filesOf(source: Source): [called: string, paths: readonly string[]] {
  const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle } = source;
  if (configMap?.items) return [`ConfigMap ${JSON.stringify(configMap.name ?? '')}`, pathsOf(configMap.items)];
  if (secret?.items) return [`Secret ${JSON.stringify(secret.name ?? '')}`, pathsOf(secret.items)];
  if (downwardAPI?.items) return ['DownwardAPI', pathsOf(downwardAPI.items)];
  if (serviceAccountToken) return ['ServiceAccountToken', [serviceAccountToken.path]];
  if (!clusterTrustBundle) return ['', []];
  const { name, signerName = '', path } = clusterTrustBundle;
  return [`ClusterTrustBundle ${JSON.stringify(name ?? signerName)}`, [path]];
}

/** Nearly all volumes have few files that are all apart, and every pod has one: that is seen without making anything. */
function areApart(sources: readonly Source[]): boolean {
  const paths: string[] = [];
  for (const { configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle } of sources) {
    const files: Files = configMap?.items ?? secret?.items ?? downwardAPI?.items ?? NO_FILES;
    for (const { path } of files) paths.push(path);
    if (serviceAccountToken) paths.push(serviceAccountToken.path);
    else if (clusterTrustBundle) paths.push(clusterTrustBundle.path);
    else if (files.length === 0) return false;
    if (paths.length > FEW) return false;
  }
  for (let i = 1; i < paths.length; i++) {
    for (let j = 0; j < i; j++) if (overlap(withoutSlashes(paths[i]!), withoutSlashes(paths[j]!))) return false;
  }
  return true;
}

function warnOfProjected(warnings: Warnings, volume: string, sources: readonly Source[]): void {
  const others = new Set<string>();
  for (const source of sources) {
    if (others.size > COMPARED_MAX) return;
    if (Object.keys(source).length === 0) {
      warnOnce(warnings, `${volume} (Projected) has no sources provided`);
      continue;
    }
    const [called, paths] = filesOf(source);
    if (paths.length === 0) continue;
    const whose = `${volume} (Projected ${called})`;
    warnOfOverlaps(warnings, whose, paths);
    warnOfOverlaps(warnings, whose, [...new Set(paths), ...others].sort());
    for (const path of paths) others.add(path);
  }
}

/** Of files of one volume of which one would be where another is, or below it. */
export function warnOfPaths(warnings: Warnings, { name, configMap, secret, downwardAPI, projected }: Volume): void {
  const files: Files | undefined = configMap?.items ?? secret?.items ?? downwardAPI?.items;
  if (!files && (!projected?.sources || areApart(projected.sources))) return;
  const volume = `volume ${JSON.stringify(name)}`;
  if (configMap?.items) {
    warnOfOverlaps(warnings, `${volume} (ConfigMap ${JSON.stringify(configMap.name ?? '')})`, pathsOf(configMap.items));
  }
  if (secret?.items) {
    warnOfOverlaps(warnings, `${volume} (Secret ${JSON.stringify(secret.secretName ?? '')})`, pathsOf(secret.items));
  }
  if (downwardAPI?.items) warnOfOverlaps(warnings, `${volume} (DownwardAPI)`, pathsOf(downwardAPI.items));
  if (projected?.sources) warnOfProjected(warnings, volume, projected.sources);
}
