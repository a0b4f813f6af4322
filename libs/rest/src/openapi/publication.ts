import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import type { Kind } from '@periplus/api';
import { definitions, definitionsDigest } from '@periplus/api';
import { type Document, document } from '../discovery.ts';
import { type GroupVersion, groupVersions } from '../served-resources.ts';
import { VERSION } from '../version.ts';
import { documentV2, jsonWriter } from './document-v2.ts';
import { documentV3 } from './document-v3.ts';
import { rootOf } from './operations.ts';
import { protobufWriter } from './protobuf-v2.ts';
import { protobufV3 } from './protobuf-v3.ts';

/** A document as it is kept: compressed, since it is large and seldom asked for. */
export interface PackedDocument {
  gzip: Buffer;
  contentType: string;
  /** Without quotes. */
  hash: string;
}

export const JSON_TYPE = 'application/json';
/** What client-go asks for v2 in, and can read no other. */
export const V2_PROTOBUF_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
export const V3_PROTOBUF_TYPE = 'application/com.github.proto-openapi.spec.v3.v1.0+protobuf';

const pack = promisify(gzip);
const level = constants.Z_DEFAULT_COMPRESSION;

/**
 * The OpenAPI documents of a set of kinds. Each is made when it is first asked for, and kept compressed: some 50 KB
 * for a version of a group, some 200 KB for each form of v2.
 */
export class Publication {
  private readonly kinds: readonly Kind[];
  /** By path: `apis/apps/v1`. */
  private readonly groupVersions: ReadonlyMap<string, GroupVersion>;
  private listed: Promise<Document> | null = null;
  private readonly made = new Map<string, Promise<PackedDocument>>();

  constructor(kinds: readonly Kind[]) {
    this.kinds = kinds;
    this.groupVersions = new Map(groupVersions(kinds).map((one) => [rootOf(one).slice(1), one]));
  }

  /** `/openapi/v3`: where the documents are. */
  index(): Promise<Document> {
    this.listed ??= this.list();
    return this.listed;
  }

  private async list(): Promise<Document> {
    const digest = await definitionsDigest();
    const paths = [...this.groupVersions].map(
      ([path, one]) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hashOf(digest, [one])}` }] as const,
    );
    return document({ paths: Object.fromEntries(paths) });
  }

  /** The document at `/openapi/v3/<path>`; undefined when there is none. Both forms have the same hash. */
  async v3(path: string, contentType: typeof JSON_TYPE | typeof V3_PROTOBUF_TYPE): Promise<PackedDocument | undefined> {
    const groupVersion = this.groupVersions.get(path);
    return (
      groupVersion &&
      this.keep(`${contentType} ${path}`, [groupVersion], contentType, async () => {
        const json = documentV3(groupVersion, await definitions());
        return contentType === JSON_TYPE ? json : protobufV3(json);
      })
    );
  }

  async v2(contentType: typeof JSON_TYPE | typeof V2_PROTOBUF_TYPE): Promise<PackedDocument> {
    const writer = contentType === JSON_TYPE ? jsonWriter() : protobufWriter();
    const all = groupVersions(this.kinds);
    return this.keep(contentType, all, contentType, async () => documentV2(all, await definitions(), writer));
  }

  /** Those who ask while a document is being made share it; when that fails, the next one tries again. */
  private keep(
    key: string,
    of: readonly GroupVersion[],
    contentType: string,
    make: () => Promise<Buffer>,
  ): Promise<PackedDocument> {
    const known = this.made.get(key);
    if (known) return known;
    const making = (async () => {
      const hash = hashOf(await definitionsDigest(), of);
      return { gzip: await pack(await make(), { level }), contentType, hash };
    })();
    this.made.set(key, making);
    making.catch(() => this.made.delete(key));
    return making;
  }
}

/** Of all that a document is made of, so that the index need not make the documents to know theirs. */
function hashOf(digest: string, of: readonly GroupVersion[]): string {
  const served = of.map(({ group, version, resources }) => [
    group,
    version,
    resources.map(({ kind, subresources }) => [kind.plural, kind.kind, kind.namespaced, kind.verbs, subresources]),
  ]);
  return createHash('sha512')
    .update(JSON.stringify([digest, VERSION.gitVersion, served]))
    .digest('hex')
    .toUpperCase();
}
