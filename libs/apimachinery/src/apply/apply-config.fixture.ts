import type { JsonObject, ManagedFieldsEntry } from '../object.ts';
import { thing } from '../schema.fixture.ts';
import { type Applied, applyConfig } from './apply-config.ts';
import { blankOf, compareObjects } from './compare.ts';
import { trackUpdate } from './track-update.ts';

const NAMES = ['metadata', 'spec'];

/** An object and who manages it, for the tests of what appliers and updaters do to each other. */
export interface State {
  readonly object: JsonObject;
  readonly entries: readonly ManagedFieldsEntry[];
}

export const NOTHING: State = { object: {}, entries: [] };

const by = (manager: string, operation: 'Apply' | 'Update') => ({
  manager,
  operation,
  apiVersion: 'v1',
  subresource: '',
});

export const apply = ({ object, entries }: State, manager: string, config: JsonObject, time = ''): Applied =>
  applyConfig({
    ...{ live: object, config, entries, schema: thing, names: NAMES, time, by: by(manager, 'Apply') },
    changesIn: (next) => compareObjects(object, next, thing, NAMES),
  });

export const update = (was: State, manager: string, object: JsonObject, time = ''): State => {
  const old = was.object === NOTHING.object ? blankOf(thing) : was.object;
  const changesIn = () => compareObjects(old, object, thing, NAMES);
  return { object, entries: trackUpdate(was.entries, { by: by(manager, 'Update'), time, names: NAMES, changesIn }) };
};

/** What each manager owns: `{ kubectl: { 'f:spec': ... } }`. */
export const managed = ({ entries }: Pick<State, 'entries'>): Record<string, unknown> =>
  Object.fromEntries(entries.map(({ manager, fieldsV1 }) => [manager, fieldsV1]));
