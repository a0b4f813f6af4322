import { isCriNotFound } from '@periplus/cri';
import { type DataLookup, environment, environmentReferences } from '../pod/environment.ts';
import type { Container, Pod } from '../pod/pod-types.ts';
import { type ObjectData, type VolumeSources, volumeReferences } from '../volumes/volume-files.ts';
import type { AgentContext } from './agent-context.ts';

/** Reads what the pod's volumes show. `ageMsMax`: how old it may be. Rejects when it can't be read. */
export async function volumeSources(
  context: AgentContext,
  pod: Pod,
  podAddresses: readonly string[],
  ageMsMax?: number,
): Promise<VolumeSources> {
  const references = volumeReferences(pod);
  const { namespace } = pod.metadata;
  const [configMaps, secrets, tokens] = await Promise.all([
    read(references.configMaps, (name) => context.data.configMap(namespace, name, ageMsMax)),
    read(references.secrets, (name) => context.data.secret(namespace, name, ageMsMax)),
    Promise.all(references.tokens.map((request) => context.data.token(pod, request))),
  ]);
  return {
    pod,
    node: context.settings.facts,
    podAddresses,
    configMap: (name) => configMaps.get(name),
    secret: (name) => secrets.get(name),
    token: ({ audience, expirationSeconds }) => {
      const at = references.tokens.findIndex(
        (request) => request.audience === audience && request.expirationSeconds === expirationSeconds,
      );
      return tokens[at]!;
    },
  };
}

/** The environment of a container. Throws ConfigError when something it needs is not there. */
export async function containerEnvironment(
  context: AgentContext,
  pod: Pod,
  container: Container,
  podAddresses: readonly string[],
): Promise<Map<string, string>> {
  const references = environmentReferences(container);
  const { namespace } = pod.metadata;
  const [configMaps, secrets] = await Promise.all([
    read(references.configMaps, (name) => context.data.configMap(namespace, name)),
    read(references.secrets, (name) => context.data.secret(namespace, name)),
  ]);
  const text =
    (found: Map<string, ObjectData | undefined>): DataLookup =>
    (name) =>
      found.get(name)?.text;
  return environment(container, {
    pod,
    node: context.settings.facts,
    podAddresses: pod.spec.hostNetwork ? context.settings.facts.addresses : podAddresses,
    configMap: text(configMaps),
    secret: text(secrets),
    services: context.settings.serviceVariables,
  });
}

async function read(
  names: ReadonlySet<string>,
  get: (name: string) => Promise<ObjectData | undefined>,
): Promise<Map<string, ObjectData | undefined>> {
  return new Map(await Promise.all([...names].map(async (name) => [name, await get(name)] as const)));
}

/** Runs `work`, for which it is fine that the thing is gone already. */
export async function unlessGone(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isCriNotFound(error)) throw error;
  }
}
