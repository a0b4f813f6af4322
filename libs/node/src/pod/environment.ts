import { ConfigError } from './config-error.ts';
import { expand } from './expansion.ts';
import { type NodeFacts, podField, resourceField } from './pod-fields.ts';
import type { Container, EnvVarSource, Pod } from './pod-types.ts';

/** The data of a ConfigMap or a Secret, as text; undefined when there is none of that name. */
export type DataLookup = (name: string) => Readonly<Record<string, string>> | undefined;

export interface EnvironmentSources {
  pod: Pod;
  node: NodeFacts;
  podAddresses: readonly string[];
  configMap: DataLookup;
  secret: DataLookup;
  /** Addresses of Services, which everything else overrides. */
  services: ReadonlyMap<string, string>;
}

/** Names of the objects that the environment of a container is made of. */
export function environmentReferences(container: Container): { configMaps: Set<string>; secrets: Set<string> } {
  const configMaps = new Set<string>();
  const secrets = new Set<string>();
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef?.name) configMaps.add(configMapRef.name);
    if (secretRef?.name) secrets.add(secretRef.name);
  }
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.configMapKeyRef?.name) configMaps.add(valueFrom.configMapKeyRef.name);
    if (valueFrom?.secretKeyRef?.name) secrets.add(valueFrom.secretKeyRef.name);
  }
  return { configMaps, secrets };
}

/** The variables of a container, later ones overriding earlier ones. Throws ConfigError for what is missing. */
export function environment(container: Container, sources: EnvironmentSources): Map<string, string> {
  const stated = new Map<string, string>();
  for (const { prefix = '', configMapRef, secretRef } of container.envFrom ?? []) {
    const [kind, ref, lookup] = configMapRef
      ? (['configmap', configMapRef, sources.configMap] as const)
      : (['secret', secretRef, sources.secret] as const);
    if (!ref?.name) continue;
    const data = lookup(ref.name);
    if (!data && !ref.optional) throw new ConfigError(`${kind} "${ref.name}" not found`);
    for (const [key, value] of Object.entries(data ?? {})) {
      if (!key.includes('=')) stated.set(prefix + key, value);
    }
  }
  const known = new Map([...sources.services, ...stated]);
  for (const { name, value = '', valueFrom } of container.env ?? []) {
    const found = valueFrom ? givenValue(container, valueFrom, sources) : expand(value, known);
    if (found === undefined) continue;
    // Set anew, so that the order of the list is kept.
    stated.delete(name);
    stated.set(name, found);
    known.set(name, found);
  }
  return new Map([...[...sources.services].filter(([name]) => !stated.has(name)), ...stated]);
}

/** Undefined: optional and not there. */
function givenValue(container: Container, from: EnvVarSource, sources: EnvironmentSources): string | undefined {
  const { pod } = sources;
  if (from.fieldRef) return podField(pod, from.fieldRef.fieldPath, sources.podAddresses, sources.node);
  if (from.resourceFieldRef) {
    const { containerName } = from.resourceFieldRef;
    const of = containerName
      ? [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find(({ name }) => name === containerName)
      : container;
    if (!of) throw new ConfigError(`container ${containerName} not found`);
    return resourceField(of, from.resourceFieldRef, sources.node);
  }
  const [kind, title, ref, lookup] = from.configMapKeyRef
    ? (['configmap', 'ConfigMap', from.configMapKeyRef, sources.configMap] as const)
    : (['secret', 'Secret', from.secretKeyRef, sources.secret] as const);
  if (!ref?.name) return undefined;
  const data = lookup(ref.name);
  if (!data) {
    if (ref.optional) return undefined;
    throw new ConfigError(`${kind} "${ref.name}" not found`);
  }
  const value = data[ref.key];
  if (value === undefined && !ref.optional) {
    throw new ConfigError(`couldn't find key ${ref.key} in ${title} ${pod.metadata.namespace}/${ref.name}`);
  }
  return value;
}
