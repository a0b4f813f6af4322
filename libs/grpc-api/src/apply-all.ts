import type { Kind, KindRegistry } from '@periplus/api';
import { badRequest, isJsonObject, type JsonObject, type JsonValue, StatusError } from '@periplus/apimachinery';
import type { Configured, User } from '@periplus/operations';
import type { apiProto } from '@periplus/proto';
import { type CommandDeps, jsonBody } from './commands.ts';
import { checkPathSegment, contextOf } from './request.ts';

type ApplyAllRequest = apiProto.api.v1.ApplyAllRequest.$Properties;
type ApplyAllResponse = apiProto.api.v1.ApplyAllResponse.$Properties;

const DEFAULT_NAMESPACE = 'default';

const textIn = (value: JsonObject, member: string): string => {
  const text = value[member];
  return typeof text === 'string' ? text : '';
};

function kindOf(kinds: KindRegistry, value: JsonObject): Kind {
  const apiVersion = textIn(value, 'apiVersion');
  const name = textIn(value, 'kind');
  const slash = apiVersion.indexOf('/');
  const kind = kinds.byKind(apiVersion.slice(0, Math.max(slash, 0)), apiVersion.slice(slash + 1), name);
  if (!kind) throw new StatusError('NotFound', `no matches for kind "${name}" in version "${apiVersion}"`);
  return kind;
}

/** What an object says that it is. Throws BadRequest or NotFound. */
function configured(kinds: KindRegistry, value: JsonValue, namespace: string): Configured {
  if (!isJsonObject(value)) throw badRequest('it is not a JSON object');
  const kind = kindOf(kinds, value);
  const metadata = isJsonObject(value.metadata) ? value.metadata : {};
  const name = textIn(metadata, 'name');
  if (name === '') throw badRequest('resource name may not be empty');
  const place = kind.namespaced ? textIn(metadata, 'namespace') || namespace || DEFAULT_NAMESPACE : '';
  checkPathSegment('name', name);
  checkPathSegment('namespace', place);
  return { target: { kind, namespace: place, name, subresource: '' }, body: { value, json: null } };
}

/** Applies the objects of a request, all or nothing. */
export async function applyAll(
  { operations, kinds }: CommandDeps,
  user: User,
  request: ApplyAllRequest,
): Promise<ApplyAllResponse> {
  const objects = (request.objects ?? []).map((bytes, position) => {
    try {
      return configured(kinds, jsonBody(bytes).value, request.namespace ?? '');
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      throw new StatusError(error.reason, `objects[${position}]: ${error.message}`, error.details);
    }
  });
  const results = await operations.applyAll(contextOf(user, request), objects, request.force ?? false);
  return {
    objects: results.map(({ bytes, resourceVersion }) => ({
      resourceVersion,
      ...(request.returnObjects && { json: bytes }),
    })),
  };
}
