import type { Pod, PodDisruptionBudget } from '@periplus/api';
import type { KubeObject, Status } from '@periplus/apimachinery';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, at, body, podOf, refusal, serviceAccountOf, startCore, type TestCore, user } from './core.ts';

let core: TestCore;
beforeAll(async () => {
  core = await startCore();
});
afterAll(() => core[Symbol.asyncDispose]());

const PODS = 'v1/pods';
const BUDGETS = 'policy/v1/poddisruptionbudgets';

/** A namespace for one test, so that budgets do not meet. */
async function namespaceOf(name: string): Promise<string> {
  await core.create('v1/namespaces', '', { metadata: { name } });
  await core.create('v1/serviceaccounts', name, serviceAccountOf('default'));
  return name;
}

const writeStatus = async (resource: string, namespace: string, name: string, status: object): Promise<void> => {
  const object = (await core.get(resource, namespace, name)) as KubeObject & { status: object };
  object.status = { ...object.status, ...status };
  await core.operations.update(core.as(admin), at(resource, namespace, name, 'status'), body(object));
};

/** A pod on a node that does not exist, which is as its status says. */
async function running(namespace: string, name: string, ready = true): Promise<void> {
  const pod = { ...podOf(name, { nodeName: 'nowhere' }), metadata: { name, labels: { app: 'web' } } };
  await core.create(PODS, namespace, pod);
  const conditions = [{ type: 'Ready', status: ready ? 'True' : 'False' }];
  await writeStatus(PODS, namespace, name, { phase: 'Running', conditions });
}

async function budget(namespace: string, name: string, status: object, spec: object = {}): Promise<void> {
  const selector = { matchLabels: { app: 'web' } };
  await core.create(BUDGETS, namespace, { metadata: { name }, spec: { minAvailable: 1, selector, ...spec } });
  await writeStatus(BUDGETS, namespace, name, { observedGeneration: 1, ...status });
}

const evict = (namespace: string, name: string, more: object = {}, who = admin) =>
  core.operations.create(
    core.as(who),
    at(PODS, namespace, name, 'eviction'),
    body({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace }, ...more }),
  );

const podAt = async (namespace: string, name: string): Promise<Pod> =>
  (await core.get(PODS, namespace, name)) as unknown as Pod;
const budgetAt = async (namespace: string, name: string): Promise<PodDisruptionBudget> =>
  (await core.get(BUDGETS, namespace, name)) as unknown as PodDisruptionBudget;

describe('the eviction of a pod', () => {
  it('deletes it with the time that it has, and says on it why', async () => {
    const ns = await namespaceOf('free');
    await running(ns, 'a');
    const result = await evict(ns, 'a');
    expect([result.code, (result.object as unknown as Status).status]).toEqual([201, 'Success']);
    const { metadata, status } = await podAt(ns, 'a');
    expect(metadata.deletionGracePeriodSeconds).toBe(30);
    expect(status?.conditions).toContainEqual(
      expect.objectContaining({
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'EvictionByEvictionAPI',
        message: 'Eviction API: evicting',
      }),
    );
  });

  it('takes one disruption of its budget, and is refused when there is none left', async () => {
    const ns = await namespaceOf('bounded');
    await Promise.all([running(ns, 'a'), running(ns, 'b')]);
    await budget(ns, 'web', { disruptionsAllowed: 1, desiredHealthy: 1, currentHealthy: 2, expectedPods: 2 });
    await evict(ns, 'a');
    const { status } = await budgetAt(ns, 'web');
    expect(status).toMatchObject({
      disruptionsAllowed: 0,
      disruptedPods: { a: expect.any(String) },
      conditions: [{ type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods' }],
    });
    const error = await refusal(evict(ns, 'b'));
    expect(error.toStatus()).toMatchObject({
      code: 429,
      reason: 'TooManyRequests',
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
      details: {
        causes: [
          {
            reason: 'DisruptionBudget',
            message: 'The disruption budget web needs 1 healthy pods and has 2 currently',
          },
        ],
      },
    });
    expect((await podAt(ns, 'b')).metadata.deletionTimestamp).toBeUndefined();
  });

  it('never takes more than the budget has, however many ask at once', async () => {
    const ns = await namespaceOf('crowd');
    const names = Array.from({ length: 12 }, (_, i) => `p${i}`);
    await Promise.all(names.map((name) => running(ns, name)));
    await budget(ns, 'web', { disruptionsAllowed: 5, desiredHealthy: 7, currentHealthy: 12, expectedPods: 12 });
    const outcomes = await Promise.allSettled(names.map((name) => evict(ns, name)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    const going = await Promise.all(names.map((name) => podAt(ns, name)));
    const gone = going.filter(({ metadata }) => metadata.deletionTimestamp).map(({ metadata }) => metadata.name!);
    const { status } = await budgetAt(ns, 'web');
    expect(Object.keys(status!.disruptedPods!).sort()).toEqual(gone.sort());
    expect([gone.length, status!.disruptionsAllowed]).toEqual([5, 0]);
  });

  it('waits for the budget to be looked at', async () => {
    const ns = await namespaceOf('new');
    await running(ns, 'a');
    await budget(ns, 'web', { observedGeneration: 0, disruptionsAllowed: 1 });
    expect((await refusal(evict(ns, 'a'))).toStatus().details).toEqual({
      causes: [
        { reason: 'DisruptionBudget', message: 'The disruption budget web is still being processed by the server.' },
      ],
      retryAfterSeconds: 10,
    });
  });

  it('cannot choose between two budgets', async () => {
    const ns = await namespaceOf('two');
    await running(ns, 'a');
    await budget(ns, 'one', { disruptionsAllowed: 1 });
    await budget(ns, 'all', { disruptionsAllowed: 1 }, { selector: {} });
    expect(await refusal(evict(ns, 'a'))).toMatchObject({
      code: 500,
      message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    });
  });

  it.each<[string, object, object, boolean]>([
    ['goes when the others suffice', {}, { desiredHealthy: 1, currentHealthy: 1 }, true],
    ['stays when they do not', {}, { desiredHealthy: 2, currentHealthy: 1 }, false],
    ['goes in any case', { unhealthyPodEvictionPolicy: 'AlwaysAllow' }, { desiredHealthy: 2, currentHealthy: 1 }, true],
  ])('that is not ready %s', async (what, spec, status, goes) => {
    const ns = await namespaceOf(`sick-${what.replaceAll(' ', '-')}`);
    await running(ns, 'a', false);
    await budget(ns, 'web', { disruptionsAllowed: 0, expectedPods: 2, ...status }, spec);
    if (goes) await evict(ns, 'a');
    else expect((await refusal(evict(ns, 'a'))).code).toBe(429);
    expect((await podAt(ns, 'a')).metadata.deletionTimestamp !== undefined).toBe(goes);
    expect((await budgetAt(ns, 'web')).status?.disruptedPods).toBeUndefined();
  });

  it.each(['Pending', 'Succeeded', 'Failed'])('that is %s takes nothing of the budget', async (phase) => {
    const ns = await namespaceOf(`phase-${phase.toLowerCase()}`);
    await running(ns, 'a');
    await writeStatus(PODS, ns, 'a', { phase });
    await budget(ns, 'web', { disruptionsAllowed: 0, desiredHealthy: 1, currentHealthy: 1 });
    await evict(ns, 'a', { deleteOptions: { gracePeriodSeconds: 0 } });
    expect((await refusal(core.get(PODS, ns, 'a'))).reason).toBe('NotFound');
    expect((await budgetAt(ns, 'web')).status?.disruptedPods).toBeUndefined();
  });

  it('changes nothing as a dry run, asked for in either place', async () => {
    const ns = await namespaceOf('dry');
    await running(ns, 'a');
    await budget(ns, 'web', { disruptionsAllowed: 1, desiredHealthy: 1, currentHealthy: 2 });
    await evict(ns, 'a', { deleteOptions: { dryRun: ['All'] } });
    await core.operations.create(
      core.as(admin, { dryRun: true }),
      at(PODS, ns, 'a', 'eviction'),
      body({ metadata: { name: 'a' } }),
    );
    expect((await podAt(ns, 'a')).metadata.deletionTimestamp).toBeUndefined();
    expect((await budgetAt(ns, 'web')).status?.disruptionsAllowed).toBe(1);
  });

  it('is refused for a pod that is not the one that was meant, and to those who may not', async () => {
    const ns = await namespaceOf('strict');
    await running(ns, 'a');
    const other = await refusal(evict(ns, 'a', { deleteOptions: { preconditions: { uid: 'x' } } }));
    expect([other.code, other.reason]).toEqual([409, 'Conflict']);
    const named = core.operations.create(
      core.as(admin),
      at(PODS, ns, 'a', 'eviction'),
      body({ metadata: { name: 'b' } }),
    );
    expect((await refusal(named)).message).toBe('name in URL does not match name in Eviction object');
    expect((await refusal(evict(ns, 'none'))).message).toBe('pods "none" not found');
    expect((await refusal(evict(ns, 'a', {}, user('jane')))).message).toBe(
      'pods "a" is forbidden: User "jane" cannot create resource "pods/eviction" in API group "" in the namespace "strict"',
    );
    const older = { apiVersion: 'policy/v1beta1' };
    expect((await evict(ns, 'a', older)).code).toBe(201);
  });
});

describe('a deletion that says why', () => {
  const preempted = { reason: 'PreemptionByScheduler', message: 'somebody more important came' };
  const preempt = (namespace: string, name: string, who = admin, options: object = {}) =>
    core.operations.delete(core.as(who), at(PODS, namespace, name), options, preempted);

  it('marks the pod and sets its condition in one write', async () => {
    const ns = await namespaceOf('preempted');
    await running(ns, 'a');
    const before = await podAt(ns, 'a');
    const { revision, resourceVersion } = await preempt(ns, 'a');
    const { metadata, status } = await podAt(ns, 'a');
    expect([metadata.deletionGracePeriodSeconds, metadata.resourceVersion]).toEqual([30, resourceVersion]);
    expect(revision).toBeGreaterThan(0);
    expect(status?.conditions).toEqual([
      ...before.status!.conditions!,
      expect.objectContaining({ type: 'DisruptionTarget', status: 'True', ...preempted }),
    ]);
  });

  it('removes a pod at once that has no time', async () => {
    const ns = await namespaceOf('preempted-at-once');
    await running(ns, 'a');
    await preempt(ns, 'a', admin, { gracePeriodSeconds: 0 });
    expect(await refusal(podAt(ns, 'a'))).toMatchObject({ reason: 'NotFound' });
  });

  it('takes leave to delete the pod and to change its status', async () => {
    const ns = await namespaceOf('preempting');
    await running(ns, 'a');
    const bystander = user('bystander');
    const RBAC = 'rbac.authorization.k8s.io';
    const grant = async (name: string, rule: object): Promise<void> => {
      await core.create(`${RBAC}/v1/roles`, ns, { metadata: { name }, rules: [{ apiGroups: [''], ...rule }] });
      const subjects = [{ kind: 'User', apiGroup: RBAC, name: 'bystander' }];
      const roleRef = { apiGroup: RBAC, kind: 'Role', name };
      await core.create(`${RBAC}/v1/rolebindings`, ns, { metadata: { name }, roleRef, subjects });
      await core.cache.waitFor(await core.cache.current());
    };
    expect(await refusal(preempt(ns, 'a', bystander))).toMatchObject({ reason: 'Forbidden' });
    await grant('deletes', { verbs: ['delete'], resources: ['pods'] });
    const refused = await refusal(preempt(ns, 'a', bystander));
    expect(refused.message).toContain('cannot patch resource "pods/status"');
    await grant('tells', { verbs: ['patch'], resources: ['pods/status'] });
    await preempt(ns, 'a', bystander);
    expect((await podAt(ns, 'a')).metadata.deletionTimestamp).toBeDefined();
  });

  it('is for pods only', async () => {
    const ns = await namespaceOf('not-preempted');
    const target = at('v1/serviceaccounts', ns, 'default');
    const refused = await refusal(core.operations.delete(core.as(admin), target, {}, preempted));
    expect(refused).toMatchObject({ reason: 'BadRequest', message: 'only pods are disrupted' });
  });
});
