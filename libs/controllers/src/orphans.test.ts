import { controllerRevision, daemonSet, type Kind, node, pod, replicaSet, statefulSet } from '@periplus/api';
import { controllerOf, type KubeObject } from '@periplus/apimachinery';
import type { Controller } from '@periplus/reconcile';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { daemonSetController } from './daemon-set/daemon-set-controller.ts';
import { replicaSetController } from './replica-set/replica-set-controller.ts';
import { Simulation } from './simulation.ts';
import { statefulSetController } from './stateful-set/stateful-set-controller.ts';

const CONTROLLERS: readonly Controller[] = [replicaSetController, statefulSetController, daemonSetController];
const controllerFor = (kind: Kind): Controller => CONTROLLERS.find((one) => one.for === kind)!;
const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
const owner = (kind: Kind, name: string) =>
  ({
    ...{ apiVersion: 'apps/v1', kind: kind.kind, metadata: { namespace: 'd', name } },
    spec: { replicas: 2, selector: { matchLabels: { app: 'x' } }, updateStrategy: { type: 'OnDelete' }, template },
  }) as KubeObject;
const orphan = (kind: Kind, name: string) =>
  ({
    ...{ apiVersion: kind.version, kind: kind.kind, metadata: { namespace: 'd', name, labels: { app: 'x' } } },
    ...(kind === pod ? { spec: template.spec } : { data: {}, revision: 1 }),
  }) as KubeObject;

describe('an orphan', () => {
  it('is never adopted by two owners, whatever they see and when, and is by one in the end', () => {
    const OWNERS: [Kind, string][] = [
      ...(['web', 'shop'].map((name) => [replicaSet, name]) as [Kind, string][]),
      ...(['web', 'shop'].map((name) => [statefulSet, name]) as [Kind, string][]),
      ...(['web', 'shop'].map((name) => [daemonSet, name]) as [Kind, string][]),
    ];
    const step = fc.oneof(
      fc.record({ look: fc.nat(OWNERS.length - 1) }),
      fc.record({ make: fc.nat(OWNERS.length - 1) }),
      fc.record({ pod: fc.constantFrom('web-0', 'web-1', 'shop-0', 'loose') }),
      fc.record({ revision: fc.constantFrom('one', 'two') }),
      fc.record({ see: fc.constantFrom(1, 5) }),
    );
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), (steps) => {
        const sim = new Simulation(...CONTROLLERS);
        const { cluster } = sim;
        cluster.put(node, { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' }, spec: {} });
        cluster.lagging = true;
        const orphans = () =>
          [...cluster.truth().list(pod), ...cluster.truth().list(controllerRevision)] as unknown as KubeObject[];
        /** Who was seen to own what: nobody lets go here, so it stays that way. */
        const adopters = new Map<string, string>();
        const put = (kind: Kind, object: KubeObject): void => {
          if (!cluster.truth().get(kind, 'd', object.metadata.name!)) cluster.put(kind, object);
        };
        for (const asked of steps) {
          if ('see' in asked) cluster.deliver(asked.see);
          else if ('pod' in asked) put(pod, orphan(pod, asked.pod));
          else if ('revision' in asked) put(controllerRevision, orphan(controllerRevision, asked.revision));
          else {
            const [kind, name] = OWNERS['make' in asked ? asked.make : asked.look]!;
            if ('make' in asked) put(kind, owner(kind, name));
            else sim.reconcile(controllerFor(kind), { namespace: 'd', name });
          }
          for (const object of orphans()) {
            const { uid = '', ownerReferences = [] } = object.metadata;
            const owners = ownerReferences.filter(({ controller }) => controller).map((reference) => reference.uid);
            const before = adopters.get(uid);
            if (before) expect(owners).toEqual([before]);
            else if (owners[0]) adopters.set(uid, owners[0]);
          }
        }
        cluster.lagging = false;
        cluster.deliver();
        put(daemonSet, owner(daemonSet, 'last'));
        for (let i = 0; i < 5; i++) {
          for (const controller of CONTROLLERS) {
            for (const { metadata } of cluster.view().list(controller.for!)) {
              sim.reconcile(controller, { namespace: 'd', name: metadata.name! });
            }
          }
        }
        for (const object of orphans()) expect(controllerOf(object)).toBeDefined();
      }),
      { numRuns: 60 },
    );
  });
});
