import { type DeepReadonly, dns1123Label, dns1123Subdomain, type FieldPath } from '@periplus/apimachinery';
import type { IIngressClass } from 'kubernetes-models/networking.k8s.io/v1/IngressClass';
import type { IIngressClassParametersReference } from 'kubernetes-models/networking.k8s.io/v1/IngressClassParametersReference';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import { checkImmutable, type Errors } from '../field-rules.ts';
import type { Stored } from '../stored.ts';
import { checkTypedReference } from './typed-reference.ts';

export type IngressClass = Stored<IIngressClass, 'spec'>;

type Parameters = DeepReadonly<IIngressClassParametersReference>;

const CONTROLLER_LENGTH_MAX = 250;
const SCOPES = ['Cluster', 'Namespace'];
const PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const path = new RegExp(`^${PATH}$`);
const DEFAULT_ANNOTATION = 'ingressclass.kubernetes.io/is-default-class';

/** Whether ingresses that name no class get this one. https://kubernetes.io/docs/concepts/services-networking/ingress/#default-ingress-class */
export const isDefaultIngressClass = ({ metadata: { annotations } }: DeepReadonly<IngressClass>): boolean =>
  annotations?.[DEFAULT_ANNOTATION] === 'true';

function checkController(errors: Errors, at: FieldPath, controller: string): void {
  if (controller.length > CONTROLLER_LENGTH_MAX) errors.push(at.tooLong(CONTROLLER_LENGTH_MAX));
  if (controller === '') {
    errors.push(at.required());
    return;
  }
  const slash = controller.indexOf('/');
  const [host, rest] = [controller.slice(0, slash), controller.slice(slash + 1)];
  if (slash <= 0 || rest === '') {
    errors.push(at.invalid(controller, 'must be a domain-prefixed path (such as "acme.io/foo")'));
    return;
  }
  for (const problem of dns1123Subdomain(host)) errors.push(at.invalid(host, problem));
  if (!path.test(rest)) errors.push(at.invalid(rest, `Invalid path (regex used for validation is '${PATH}')`));
}

function checkParameters(errors: Errors, at: FieldPath, parameters: Parameters): void {
  checkTypedReference(errors, at, parameters);
  const { scope, namespace } = parameters;
  const place = at.child('namespace');
  if (scope === undefined) errors.push(at.child('scope').required());
  else if (!SCOPES.includes(scope)) errors.push(at.child('scope').notSupported(scope, SCOPES));
  else if (scope === 'Cluster') {
    if (namespace !== undefined) errors.push(place.forbidden("`parameters.scope` is set to 'Cluster'"));
  } else if (namespace === undefined) errors.push(place.required("`parameters.scope` is set to 'Namespace'"));
  else for (const problem of dns1123Label(namespace)) errors.push(place.invalid(namespace, problem));
}

function parametersOf({ spec: { parameters } }: DeepReadonly<IngressClass>): string {
  if (!parameters) return '<none>';
  const { kind, apiGroup, name } = parameters;
  return `${kind}${apiGroup === undefined ? '' : `.${apiGroup}`}/${name}`;
}

/** https://kubernetes.io/docs/concepts/services-networking/ingress/#ingress-class */
export const ingressClass = defineKind<IngressClass>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  namespaced: false,
  generation: true,
  columns: [
    {
      ...nameColumn,
      of: (ingressClass) => nameColumn.of(ingressClass, 0) + (isDefaultIngressClass(ingressClass) ? ' (default)' : ''),
    },
    {
      name: 'Controller',
      type: 'string',
      description: 'Controller that is responsible for handling this class',
      of: ({ spec }) => spec.controller ?? '',
    },
    {
      name: 'Parameters',
      type: 'string',
      description: 'A reference to a resource with additional parameters',
      of: parametersOf,
    },
    ageColumn,
  ],
  check(errors, at, { spec }) {
    const place = at.child('spec');
    checkController(errors, place.child('controller'), spec.controller ?? '');
    if (spec.parameters) checkParameters(errors, place.child('parameters'), spec.parameters);
  },
  checkUpdate(errors, at, { spec }, { spec: old }) {
    checkImmutable(errors, at.child('spec'), 'controller', spec.controller, old.controller);
  },
  setDefaults(ingressClass) {
    ingressClass.spec ??= {};
    if (ingressClass.spec.parameters) ingressClass.spec.parameters.scope ??= 'Cluster';
  },
});
