/** Which files a configMap, secret, downwardAPI or projected volume shows: pure, from data that is at hand. */
import { ConfigError } from '../pod/config-error.ts';
import { type NodeFacts, podField, resourceField } from '../pod/pod-fields.ts';
import type { KeyToPath, Pod, Volume } from '../pod/pod-types.ts';

/** The content of a ConfigMap or Secret. */
export interface ObjectData {
  /** For environment variables. */
  text: Readonly<Record<string, string>>;
  /** For files: binary data too. */
  files: ReadonlyMap<string, Buffer>;
}

export interface ServiceAccountToken {
  token: string;
  /** Ask for a new one from then on. */
  renewAtMs: number;
}

export interface TokenRequest {
  audience: string;
  expirationSeconds: number;
}

/** What the files are made of. Lookups of what is not there return undefined. */
export interface VolumeSources {
  pod: Pod;
  node: NodeFacts;
  podAddresses: readonly string[];
  configMap(name: string): ObjectData | undefined;
  secret(name: string): ObjectData | undefined;
  token(request: TokenRequest): ServiceAccountToken;
}

interface VolumeFile {
  content: Buffer;
  mode: number;
}

/** Relative path to file. */
export type VolumeFiles = Map<string, VolumeFile>;

const DEFAULT_MODE = 0o644;
const TOKEN_SECONDS = 3_600;

type ProjectedSource = NonNullable<NonNullable<Volume['projected']>['sources']>[number];
type DownwardItem = NonNullable<NonNullable<Volume['downwardAPI']>['items']>[number];

const tokenRequestOf = (source: NonNullable<ProjectedSource['serviceAccountToken']>): TokenRequest => ({
  audience: source.audience ?? '',
  expirationSeconds: source.expirationSeconds ?? TOKEN_SECONDS,
});

/** Names of the objects, and the tokens, that the volumes of a pod need. */
export function volumeReferences({ spec }: Pod): {
  configMaps: Set<string>;
  secrets: Set<string>;
  tokens: TokenRequest[];
} {
  const found = { configMaps: new Set<string>(), secrets: new Set<string>(), tokens: [] as TokenRequest[] };
  for (const { configMap, secret, projected } of spec.volumes ?? []) {
    if (configMap?.name) found.configMaps.add(configMap.name);
    if (secret?.secretName) found.secrets.add(secret.secretName);
    for (const source of projected?.sources ?? []) {
      if (source.configMap?.name) found.configMaps.add(source.configMap.name);
      if (source.secret?.name) found.secrets.add(source.secret.name);
      if (source.serviceAccountToken) found.tokens.push(tokenRequestOf(source.serviceAccountToken));
    }
  }
  return found;
}

/** Whether the content of the volume comes from the API and is kept up to date. */
export const hasFiles = (volume: Volume): boolean =>
  Boolean(volume.configMap ?? volume.secret ?? volume.downwardAPI ?? volume.projected);

/** Throws ConfigError when something that is not optional is missing. */
export function volumeFiles(volume: Volume, sources: VolumeSources): VolumeFiles {
  const files: VolumeFiles = new Map();
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap)
    addData(files, 'configmap', { ...configMap, name: configMap.name ?? '' }, sources, configMap.defaultMode);
  else if (secret) addData(files, 'secret', { ...secret, name: secret.secretName ?? '' }, sources, secret.defaultMode);
  else if (downwardAPI) addFields(files, downwardAPI.items ?? [], sources, downwardAPI.defaultMode);
  else if (projected) {
    for (const source of projected.sources ?? []) addProjected(files, source, sources, projected.defaultMode);
  }
  return files;
}

function addProjected(files: VolumeFiles, source: ProjectedSource, sources: VolumeSources, defaultMode?: number): void {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source;
  if (configMap) addData(files, 'configmap', { ...configMap, name: configMap.name ?? '' }, sources, defaultMode);
  else if (secret) addData(files, 'secret', { ...secret, name: secret.name ?? '' }, sources, defaultMode);
  else if (downwardAPI) addFields(files, downwardAPI.items ?? [], sources, defaultMode);
  else if (serviceAccountToken) {
    const { token } = sources.token(tokenRequestOf(serviceAccountToken));
    const path = checkedPath(serviceAccountToken.path);
    files.set(path, { content: Buffer.from(token), mode: defaultMode ?? DEFAULT_MODE });
  } else throw new ConfigError('this source of a projected volume is not supported');
}

function addData(
  files: VolumeFiles,
  kind: 'configmap' | 'secret',
  ref: { name: string; items?: KeyToPath[]; optional?: boolean },
  sources: VolumeSources,
  defaultMode = DEFAULT_MODE,
): void {
  const data = kind === 'configmap' ? sources.configMap(ref.name) : sources.secret(ref.name);
  if (!data) {
    if (ref.optional) return;
    throw new ConfigError(`${kind} "${ref.name}" not found`);
  }
  if (!ref.items) {
    for (const [key, content] of data.files) files.set(key, { content, mode: defaultMode });
    return;
  }
  for (const { key, path, mode } of ref.items) {
    const content = data.files.get(key);
    if (content) files.set(checkedPath(path), { content, mode: mode ?? defaultMode });
    else if (!ref.optional) {
      throw new ConfigError(
        kind === 'configmap'
          ? `configmap references non-existent config key: ${key}`
          : `references non-existent secret key: ${key}`,
      );
    }
  }
}

function addFields(
  files: VolumeFiles,
  items: readonly DownwardItem[],
  { pod, node, podAddresses }: VolumeSources,
  defaultMode = DEFAULT_MODE,
): void {
  for (const { path, fieldRef, resourceFieldRef, mode } of items) {
    let value = '';
    if (fieldRef) value = podField(pod, fieldRef.fieldPath, podAddresses, node);
    else if (resourceFieldRef) {
      const container = pod.spec.containers.find(({ name }) => name === resourceFieldRef.containerName);
      if (!container) throw new ConfigError(`container ${resourceFieldRef.containerName} not found`);
      value = resourceField(container, resourceFieldRef, node);
    }
    files.set(checkedPath(path), { content: Buffer.from(value), mode: mode ?? defaultMode });
  }
}

/** The API refuses such paths already; a file must not land outside of its volume even so. */
function checkedPath(path: string): string {
  if (path === '' || path.startsWith('/') || path.split('/').includes('..') || path.startsWith('..')) {
    throw new ConfigError(`invalid path ${JSON.stringify(path)}`);
  }
  return path;
}
