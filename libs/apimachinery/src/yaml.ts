import type { DocumentOptions, ParseOptions, SchemaOptions } from 'yaml';

/** For the `yaml` package: YAML 1.1 as Kubernetes reads it (`0644` is octal), but for dates, which stay text. */
export const KUBERNETES_YAML: ParseOptions & DocumentOptions & SchemaOptions = {
  version: '1.1',
  uniqueKeys: false,
  // Its warnings show what was read, which nobody else may see.
  logLevel: 'error',
  customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || tag.tag !== 'tag:yaml.org,2002:timestamp'),
};
