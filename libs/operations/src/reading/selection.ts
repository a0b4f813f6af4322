import type { Kind } from '@periplus/api';
import {
  badRequest,
  type DeepReadonly,
  everyField,
  everything,
  type FieldSelector,
  type KubeObject,
  parseFieldSelector,
  parseLabelSelector,
  type Selector,
} from '@periplus/apimachinery';

type Test = (object: DeepReadonly<KubeObject>) => boolean;

type Field = (object: DeepReadonly<KubeObject>) => string;

const METADATA: ReadonlyMap<string, Field> = new Map<string, Field>([
  ['metadata.name', (object) => object.metadata.name ?? ''],
  ['metadata.namespace', (object) => object.metadata.namespace ?? ''],
]);

/** What a kind's users are told of a field that cannot be selected by. */
function unknownField(kind: Kind, field: string): Error {
  if (Object.keys(kind.selectableFields).length > 0) return badRequest(`field label not supported: ${field}`);
  const known = [...METADATA.keys()].map((name) => JSON.stringify(name));
  return badRequest(`${JSON.stringify(field)} is not a known field selector: only ${known.join(', ')}`);
}

/** Kinds that say what can be selected by, and have no namespace, know no `metadata.namespace`. As in kube-apiserver. */
const metadataOf = (kind: Kind, field: string) =>
  field === 'metadata.namespace' && !kind.namespaced && Object.keys(kind.selectableFields).length > 0
    ? undefined
    : METADATA.get(field);

function fieldTests(kind: Kind, fields: FieldSelector): Test[] {
  return fields.requirements.map(({ field, operator, value }) => {
    const own = Object.hasOwn(kind.selectableFields, field) ? kind.selectableFields[field] : undefined;
    const of = metadataOf(kind, field) ?? own;
    if (!of) throw unknownField(kind, field);
    return operator === '=' ? (object) => of(object) === value : (object) => of(object) !== value;
  });
}

/** Which objects of a kind a list or watch is about, compiled. Objects are in the form of that kind. */
export class Selection {
  readonly labels: Selector;
  readonly fields: FieldSelector;
  /** Everything of the namespace, so that nothing has to be looked at. */
  readonly all: boolean;
  private readonly tests: readonly Test[];

  constructor(kind: Kind, labels: Selector, fields: FieldSelector) {
    this.labels = labels;
    this.fields = fields;
    this.tests = fieldTests(kind, fields);
    this.all = labels.selectsEverything && this.tests.length === 0;
  }

  matches(object: DeepReadonly<KubeObject>): boolean {
    for (const test of this.tests) if (!test(object)) return false;
    return this.labels.selectsEverything || this.labels.matches(object.metadata.labels);
  }

  /** Equal for selections that select the same, so that watches can share their work. */
  get id(): string {
    return `${this.labels.text}\n${this.fields.requirements.map((one) => `${one.field}${one.operator}${one.value}`).join('\n')}`;
  }
}

/** Parses both selectors of a query. Throws BadRequest in Kubernetes' words. */
export function parseSelection(kind: Kind, labelSelector = '', fieldSelector = ''): Selection {
  return new Selection(
    kind,
    labelSelector === '' ? everything : parseLabelSelector(labelSelector),
    fieldSelector === '' ? everyField : parseFieldSelector(fieldSelector),
  );
}
