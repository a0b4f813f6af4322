import type { DocumentOptions, ParseOptions, ScalarTag, SchemaOptions } from 'yaml';

/** What `yaml` makes of these is no JSON; to Kubernetes they are plain text, objects and lists. */
const UNKNOWN = new Set(['timestamp', 'set', 'omap', 'pairs', 'binary'].map((name) => `tag:yaml.org,2002:${name}`));

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Text in base64. */
const BINARY: ScalarTag = {
  tag: 'tag:yaml.org,2002:binary',
  resolve(text, onError) {
    const base64 = text.replace(/[\r\n]/g, '');
    if (!BASE64.test(base64)) onError('!!binary value contains invalid base64 data');
    return Buffer.from(base64, 'base64').toString();
  },
};

/** For the `yaml` package: YAML 1.1 as Kubernetes reads it (`0644` is octal), but for dates, which stay text. */
export const KUBERNETES_YAML: ParseOptions & DocumentOptions & SchemaOptions = {
  version: '1.1',
  uniqueKeys: false,
  // Its warnings show what was read, which nobody else may see.
  logLevel: 'error',
  customTags: (tags) => [...tags.filter((tag) => typeof tag === 'string' || !UNKNOWN.has(tag.tag)), BINARY],
};
