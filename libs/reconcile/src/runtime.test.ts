import type { Kind } from '@periplus/api';
import { type KubeObject, StatusError } from '@periplus/apimachinery';
import { type Command, OutcomeUnknownError } from '@periplus/client';
import { type Logger, Metrics } from '@periplus/component';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defineController, idle, watchRule } from './define-controller.ts';
import { MemoryCluster } from './memory-cluster.ts';
import { ControllerRuntime } from './runtime.ts';
import type { Controller, PlannedEvent } from './types.ts';

interface Parent extends KubeObject {
  spec: { children: number };
}
const kindOf = <T extends KubeObject>(kind: string, plural: string): Kind<T> =>
  ({ group: 'test', version: 'v1', kind, plural, namespaced: true, hasStatus: false }) as unknown as Kind<T>;
const parentKind = kindOf<Parent>('Parent', 'parents');
const childKind = kindOf<KubeObject>('Child', 'children');
const flagKind = kindOf<KubeObject>('Flag', 'flags');

const parent = (children: number): Parent => ({
  apiVersion: 'test/v1',
  kind: 'Parent',
  metadata: { namespace: 'd', name: 'p', uid: 'parent-uid' },
  spec: { children },
});
const createChild = (name: string): Command => ({
  verb: 'create',
  kind: childKind,
  namespace: 'd',
  name,
  object: {
    apiVersion: 'test/v1',
    kind: 'Child',
    metadata: {
      name,
      namespace: 'd',
      ownerReferences: [{ apiVersion: 'test/v1', kind: 'Parent', name: 'p', uid: 'parent-uid', controller: true }],
    },
  },
});

/** Names depend on the revision of the view, so that acting on an old view shows as too many children. */
const controller = defineController<Parent>({
  name: 'family',
  for: parentKind,
  owns: [childKind],
  watches: [watchRule(flagKind, (now, old) => [{ namespace: 'd', name: (now ?? old)!.metadata.name ?? '' }])],
  reconcile({ namespace, name }, view) {
    const found = view.get(parentKind, namespace, name);
    if (!found) return idle;
    const missing = found.spec.children - view.owned(childKind, 'parent-uid').length;
    const creates = Array.from({ length: Math.max(0, missing) }, (_, i) => createChild(`c-${view.revision}-${i}`));
    const events = creates.map(
      (command): PlannedEvent => ({
        about: found,
        type: 'Normal',
        reason: 'Created',
        message: command.name,
        after: command,
      }),
    );
    return { steps: [creates], events };
  },
});

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
let cluster: MemoryCluster;
let runtime: ControllerRuntime;
let recorded: PlannedEvent[];

const start = (definition: Controller = controller): void => {
  runtime = new ControllerRuntime({
    component: 'test-manager',
    controllers: [definition],
    cluster,
    commands: cluster,
    log: silent,
    metrics: new Metrics(),
    record: (event) => recorded.push(event),
  });
  runtime.start();
};
const pass = (ms = 2): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);
const children = (): number => [...cluster.truth().list(childKind)].length;

beforeEach(() => {
  vi.useFakeTimers();
  cluster = new MemoryCluster();
  recorded = [];
});
afterEach(async () => {
  await runtime.stop();
  vi.useRealTimers();
});

describe('the controller runtime', () => {
  it('looks at everything that is there when it starts, and at what changes later', async () => {
    cluster.put(parentKind, parent(2));
    start();
    await pass();
    expect(children()).toBe(2);
    cluster.put(parentKind, parent(3));
    await pass();
    expect(children()).toBe(3);
  });

  it('wakes the owner when an owned object goes', async () => {
    cluster.put(parentKind, parent(1));
    start();
    await pass();
    cluster.remove(childKind, 'd', cluster.view().list(childKind)[0]!.metadata.name!);
    await pass();
    expect(children()).toBe(1);
  });

  it('says with each command which change made it act, preferring a new spec to a child that moved', async () => {
    cluster.put(parentKind, parent(1));
    start();
    await pass();
    const { resourceVersion } = cluster.put(parentKind, parent(2)).metadata;
    cluster.put(childKind, {
      ...cluster.view().list(childKind)[0]!,
      metadata: { namespace: 'd', name: 'x' },
    } as KubeObject);
    await pass();
    expect(cluster.sent.at(-1)!.cause).toEqual({
      key: 'test/parents/d/p',
      resourceVersion,
      reconciler: 'test-manager/family',
    });
  });

  it('does not look at a key again before the cache holds what was written for it', async () => {
    cluster.put(parentKind, parent(3));
    start();
    cluster.lagging = true;
    await pass();
    expect(children()).toBe(3);
    cluster.put(flagKind, { apiVersion: 'test/v1', kind: 'Flag', metadata: { namespace: 'd', name: 'p' } });
    for (let i = 0; i < 4; i++) {
      cluster.deliver(1);
      await pass(1_000);
      expect(children()).toBe(3);
    }
  });

  it('records an event for each command that is done', async () => {
    cluster.put(parentKind, parent(2));
    start();
    await pass();
    expect(recorded.map(({ reason }) => reason)).toEqual(['Created', 'Created']);
  });

  it('backs off from a refused command and resumes when it is accepted', async () => {
    const apply = cluster.apply.bind(cluster);
    let refusals = 3;
    cluster.apply = (command) => {
      if (refusals-- > 0) throw new StatusError('Forbidden', 'exceeded quota');
      return apply(command);
    };
    cluster.put(parentKind, parent(1));
    start();
    await pass(4);
    expect(children()).toBe(0);
    await pass(5 + 10 + 20);
    expect(children()).toBe(1);
  });

  it('sends a command of unknown outcome again, unchanged, instead of planning anew', async () => {
    const apply = cluster.apply.bind(cluster);
    let lost = 2;
    cluster.apply = (command) => {
      if (lost-- > 0) {
        // The first attempt arrived, only its answer did not.
        if (lost === 1) apply(command);
        throw new OutcomeUnknownError('ServiceUnavailable', 'connection lost');
      }
      return apply(command);
    };
    cluster.lagging = true;
    cluster.put(parentKind, parent(1));
    cluster.deliver();
    start();
    await pass(100);
    expect(new Set(cluster.sent.map(({ command }) => command.name)).size).toBe(1);
    cluster.put(parentKind, parent(1));
    await pass(100);
    cluster.deliver();
    await pass(1_000);
    expect(children()).toBe(1);
  });

  it('looks again quickly after a conflict, in a view that is as new as the refusal', async () => {
    cluster.put(parentKind, parent(1));
    cluster.lagging = true;
    cluster.put(childKind, { ...(createChild('c-2-0') as { object: KubeObject }).object });
    start();
    await pass(50);
    expect(cluster.sent).toHaveLength(1);
    cluster.deliver();
    await pass(50);
    expect(children()).toBe(1);
    expect(cluster.sent).toHaveLength(1);
  });

  it('sends idle more once it is stopped', async () => {
    cluster.put(parentKind, parent(1));
    start();
    await runtime.stop();
    cluster.put(parentKind, parent(5));
    await pass(1_000);
    expect(children()).toBe(0);
  });

  it('runs the steps of a plan one after the other and asks the plan what to do instead of the rest', async () => {
    const steps = [[createChild('a'), createChild('b')], [createChild('never')]];
    const failing = defineController<Parent>({
      name: 'steps',
      for: parentKind,
      reconcile: (_ref, view) =>
        view.get(childKind, 'd', 'instead')
          ? idle
          : {
              steps,
              onRefusal: (refusals) => [createChild(refusals.length === 1 ? 'instead' : 'wrong')],
              events: [
                {
                  about: parent(1),
                  type: 'Warning',
                  reason: 'Failed',
                  message: 'Error creating',
                  onRefusalOf: steps[0]![0]!,
                },
              ],
            },
    });
    const apply = cluster.apply.bind(cluster);
    cluster.apply = (command) => {
      if (command.name === 'a') throw new StatusError('Invalid', 'no such thing');
      return apply(command);
    };
    cluster.put(parentKind, parent(1));
    start(failing);
    await pass(100);
    const names = cluster.truth().list(childKind);
    expect(names.map(({ metadata }) => metadata.name).sort()).toEqual(['b', 'instead']);
    expect(recorded).toMatchObject([{ reason: 'Failed', message: 'Error creating: no such thing' }]);
  });

  it('survives a reconciler that throws, and tries again', async () => {
    let calls = 0;
    start(
      defineController<Parent>({
        name: 'broken',
        for: parentKind,
        reconcile() {
          calls += 1;
          if (calls < 3) throw new TypeError('x is undefined');
          return idle;
        },
      }),
    );
    cluster.put(parentKind, parent(1));
    await pass(100);
    expect(calls).toBe(3);
  });

  it('follows the first change at once and those behind it together, where a controller asks for rest', async () => {
    let calls = 0;
    const reconcile = () => {
      calls += 1;
      return idle;
    };
    start(defineController<Parent>({ name: 'restful', for: parentKind, restMs: 100, reconcile }));
    cluster.put(parentKind, parent(1));
    await pass();
    expect(calls).toBe(1);
    for (let i = 2; i < 9; i++) {
      cluster.put(parentKind, parent(i));
      await pass(10);
    }
    expect(calls).toBe(1);
    await pass(100);
    expect(calls).toBe(2);
  });

  it('looks again after the time that a plan asks for', async () => {
    let calls = 0;
    start(
      defineController<Parent>({
        name: 'timed',
        for: parentKind,
        reconcile() {
          calls += 1;
          return { steps: [], lookAgainMs: 1_000 };
        },
      }),
    );
    cluster.put(parentKind, parent(1));
    await pass(2_500);
    expect(calls).toBe(3);
  });
});
