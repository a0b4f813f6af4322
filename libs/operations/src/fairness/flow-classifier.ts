import type { FlowSchema } from '@periplus/api';
import type { DeepReadonly } from '@periplus/apimachinery';
import type { Attributes, User } from '../types.ts';

type Spec = DeepReadonly<FlowSchema['spec']>;
type Rules = NonNullable<Spec['rules']>[number];
type Subject = Rules['subjects'][number];
type ResourceRule = NonNullable<Rules['resourceRules']>[number];
type PathRule = NonNullable<Rules['nonResourceRules']>[number];

/** What of a request decides where it waits. */
export type FlowAttributes = Pick<
  Attributes,
  'isResource' | 'verb' | 'group' | 'resource' | 'subresource' | 'namespace' | 'path'
>;

/** A FlowSchema that requests can be matched with. */
export interface ClassifiedBy {
  readonly name: string;
  readonly spec: Spec;
}

/** The rules of a schema that are about one user. */
interface Candidate<Schema> {
  readonly schema: Schema;
  readonly rules: readonly Rules[];
}

/** Users whose schemas are remembered. */
const USERS_MAX = 2_000;
const ALL = '*';
const has = (values: readonly string[] | null | undefined, value: string): boolean =>
  !!values && (values.includes(ALL) || values.includes(value));

function isAbout({ kind, user: named, group, serviceAccount }: Subject, user: User): boolean {
  if (kind === 'User') return named !== undefined && (named.name === ALL || named.name === user.name);
  if (kind === 'Group') return group !== undefined && (group.name === ALL || user.groups.includes(group.name));
  if (!serviceAccount) return false;
  const prefix = `system:serviceaccount:${serviceAccount.namespace}:`;
  if (serviceAccount.name === ALL) return user.name.startsWith(prefix);
  return user.name === prefix + serviceAccount.name;
}

function coversResource(rule: ResourceRule, asked: FlowAttributes): boolean {
  const resource = asked.subresource === '' ? asked.resource : `${asked.resource}/${asked.subresource}`;
  if (!has(rule.verbs, asked.verb) || !has(rule.apiGroups, asked.group) || !has(rule.resources, resource)) return false;
  return asked.namespace === '' ? rule.clusterScope === true : has(rule.namespaces, asked.namespace);
}

const coversPath = ({ verbs, nonResourceURLs }: PathRule, { verb, path }: FlowAttributes): boolean =>
  has(verbs, verb) &&
  nonResourceURLs.some(
    (url) => url === ALL || url === path || (url.endsWith('/*') && path.startsWith(url.slice(0, -1))),
  );

const covers = ({ resourceRules = [], nonResourceRules = [] }: Rules, asked: FlowAttributes): boolean =>
  asked.isResource
    ? resourceRules.some((rule) => coversResource(rule, asked))
    : nonResourceRules.some((rule) => coversPath(rule, asked));

/** Finds the FlowSchema of a request: the first one that matches, in the order of precedence and name. */
export class FlowClassifier<Schema extends ClassifiedBy> {
  private readonly schemas: readonly Schema[];
  private readonly fallback: Schema;
  /** Not by the object: a token makes another one for each request. */
  private readonly byUser = new Map<string, readonly Candidate<Schema>[]>();

  /** `fallback` is for requests that no schema matches. */
  constructor(schemas: readonly Schema[], fallback: Schema) {
    this.schemas = schemas.toSorted(
      (one, other) =>
        (one.spec.matchingPrecedence ?? 0) - (other.spec.matchingPrecedence ?? 0) || (one.name < other.name ? -1 : 1),
    );
    this.fallback = fallback;
  }

  of(user: User, asked: FlowAttributes): Schema {
    for (const { schema, rules } of this.candidates(user)) {
      for (const rule of rules) if (covers(rule, asked)) return schema;
    }
    return this.fallback;
  }

  private candidates(user: User): readonly Candidate<Schema>[] {
    const key = `${user.name}\n${user.groups.join('\n')}`;
    let found = this.byUser.get(key);
    if (!found) {
      if (this.byUser.size >= USERS_MAX) this.byUser.clear();
      found = this.schemas
        .map((schema) => ({
          schema,
          rules: (schema.spec.rules ?? []).filter(({ subjects }) => subjects.some((one) => isAbout(one, user))),
        }))
        .filter(({ rules }) => rules.length > 0);
      this.byUser.set(key, found);
    }
    return found;
  }
}
