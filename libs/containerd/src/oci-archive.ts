import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type TarEntry, writeTar } from './tar.ts';

/** What an image runs, and as whom. https://github.com/opencontainers/image-spec/blob/main/config.md */
export interface ImageSettings {
  entrypoint?: readonly string[];
  command?: readonly string[];
  environment?: readonly string[];
  /** "uid:gid". */
  user?: string;
  workingDirectory?: string;
  exposedPorts?: readonly string[];
}

export interface OciImage {
  /** Full name: `localhost/pause:1`. */
  name: string;
  architecture: 'amd64' | 'arm64';
  settings: ImageSettings;
  files: readonly TarEntry[];
}

const digestOf = (content: Buffer): string => `sha256:${createHash('sha256').update(content).digest('hex')}`;
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const blobPath = (digest: string): string => `blobs/${digest.replace(':', '/')}`;
const file = (path: string, content: Buffer): TarEntry => ({ path, type: 'file', mode: 0o644, content });

/**
 * Makes an image of one layer as a tar archive that `ctr images import`, `docker load` and `skopeo` take.
 * The same input makes the same bytes, thus the same digest.
 */
export function writeOciArchive(image: OciImage): Buffer {
  const layer = writeTar(image.files);
  const packed = gzipSync(layer, { level: 6 });
  const { settings } = image;
  const config = json({
    architecture: image.architecture,
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: {
      ...(settings.entrypoint && { Entrypoint: settings.entrypoint }),
      ...(settings.command && { Cmd: settings.command }),
      ...(settings.environment && { Env: settings.environment }),
      ...(settings.user && { User: settings.user }),
      ...(settings.workingDirectory && { WorkingDir: settings.workingDirectory }),
      ...(settings.exposedPorts && {
        ExposedPorts: Object.fromEntries(settings.exposedPorts.map((port) => [port, {}])),
      }),
    },
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: digestOf(config),
      size: config.length,
    },
    layers: [
      { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: digestOf(packed), size: packed.length },
    ],
  });
  const tag = image.name.slice(image.name.lastIndexOf(':') + 1);
  const index = json({
    schemaVersion: 2,
    manifests: [
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest: digestOf(manifest),
        size: manifest.length,
        annotations: { 'io.containerd.image.name': image.name, 'org.opencontainers.image.ref.name': tag },
      },
    ],
  });
  // Docker reads this older index instead.
  const dockerIndex = json([
    { Config: blobPath(digestOf(config)), RepoTags: [image.name], Layers: [blobPath(digestOf(packed))] },
  ]);
  return writeTar([
    file('oci-layout', json({ imageLayoutVersion: '1.0.0' })),
    file(blobPath(digestOf(config)), config),
    file(blobPath(digestOf(packed)), packed),
    file(blobPath(digestOf(manifest)), manifest),
    file('index.json', index),
    file('manifest.json', dockerIndex),
  ]);
}
