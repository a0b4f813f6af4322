import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  applyConfig,
  applyConflict,
  blankOf,
  compareObjects,
  type FieldSet,
  type JsonObject,
  type ManagedFieldsEntry,
  type ObjectSchema,
  trackUpdate,
} from '@periplus/apimachinery';
import { expect, it } from 'vitest';
import { deployment } from './apps/deployment.ts';

/**
 * What three managers do to a Deployment, and what became of it. The results are those of Kubernetes' own library
 * (sigs.k8s.io/structured-merge-diff 6.3.2 with the schema of client-go 0.36), without the fields that nobody may own.
 */
interface Step {
  manager: string;
  op: 'apply' | 'update';
  config: JsonObject;
  /** After an apply that was forced. */
  object: JsonObject;
  /** By `manager/Apply` and `manager/Update`. */
  managers: Record<string, FieldSet>;
  /** What an apply that is not forced is refused for: `manager/Apply .path.of.the[field]`. */
  conflicts: string[];
}

const histories = readFileSync(join(import.meta.dirname, 'testdata/apply.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => (JSON.parse(line) as { steps: Step[] }).steps);

const NAMES = ['metadata', 'spec'];
const schema = deployment.schema as ObjectSchema;
const idOf = ({ manager, operation }: ManagedFieldsEntry): string => `${manager}/${operation}`;

it.each(histories.map((steps, i) => [i + 1, steps] as const))('history %i ends as on Kubernetes', (_, steps) => {
  let live: JsonObject = blankOf(schema);
  let entries: readonly ManagedFieldsEntry[] = [];
  for (const { manager, op, config, object, managers, conflicts } of steps) {
    const was = live;
    const of = { time: '', names: NAMES };
    const by = { manager, apiVersion: 'apps/v1', subresource: '' };
    const changes = (is: JsonObject) => compareObjects(was, is, schema, NAMES);
    if (op === 'apply') {
      const applied = applyConfig({
        ...{ ...of, live, config, schema, entries, by: { ...by, operation: 'Apply' } },
        changesIn: changes,
      });
      live = applied.object;
      entries = applied.entries;
      const found = applied.conflicts.flatMap((conflict) =>
        applyConflict([conflict]).details!.causes!.map(({ field }) => `${idOf(conflict.entry)} ${field}`),
      );
      expect(found.sort()).toEqual(conflicts);
    } else {
      live = config;
      entries = trackUpdate(entries, { ...of, by: { ...by, operation: 'Update' }, changesIn: () => changes(config) });
    }
    expect(live).toEqual(object);
    expect(Object.fromEntries(entries.map((entry) => [idOf(entry), entry.fieldsV1]))).toEqual(managers);
  }
});
