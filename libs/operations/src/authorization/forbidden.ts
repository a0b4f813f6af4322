import { forbidden, StatusError } from '@periplus/apimachinery';
import type { Attributes, User } from '../types.ts';

/** `User "x" cannot list resource "pods" in API group "" in the namespace "y"`. */
function refusal(user: User, asked: Attributes): string {
  const who = `User ${JSON.stringify(user.name)} cannot ${asked.verb}`;
  if (!asked.isResource) return `${who} path ${JSON.stringify(asked.path)}`;
  const resource = asked.subresource ? `${asked.resource}/${asked.subresource}` : asked.resource;
  const where = asked.namespace ? `in the namespace ${JSON.stringify(asked.namespace)}` : 'at the cluster scope';
  return `${who} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(asked.group)} ${where}`;
}

/** The 403 of a request that no authorizer allowed, in kube-apiserver's words. */
export function forbiddenRequest(user: User, asked: Attributes, reason: string): StatusError {
  const why = reason ? `${refusal(user, asked)}: ${reason}` : refusal(user, asked);
  if (!asked.isResource) return new StatusError('Forbidden', `forbidden: ${why}`, {});
  return forbidden({ group: asked.group, resource: asked.resource }, asked.name, why);
}
