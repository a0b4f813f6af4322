import { type Pod, podGroup, pod as podKind, type ResourceClaim, resourceClaim } from '@periplus/api';
import { invalid } from '@periplus/apimachinery';
import { OutcomeUnknownError } from '@periplus/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  allocated,
  asking,
  celSelector,
  DRIVER,
  makeClaim,
  makeClass,
  makeSlice,
  resultOf,
} from '../testing/devices.ts';
import { makeNode, makePod } from '../testing/objects.ts';
import { SchedulingTest } from '../testing/scheduling.ts';

let test: SchedulingTest;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:00Z') });
  test = new SchedulingTest();
  test.put(makeClass('gpu'));
});
afterEach(async () => {
  const ended = test.stop();
  await vi.advanceTimersByTimeAsync(2_000);
  await ended;
  vi.useRealTimers();
});

/** Longer than a first backoff, far shorter than the time after which pods are looked at anyway. */
const settle = (ms = 2_000): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

const using = (pod: string, ...claims: string[]) =>
  makePod(pod, { resourceClaims: claims.map((name) => ({ name, resourceClaimName: name })) });
const claimOf = (name: string): ResourceClaim =>
  test.cluster.truth().get(resourceClaim, 'default', name) as ResourceClaim;
const devicesOf = (name: string): string[] | undefined =>
  claimOf(name).status?.allocation?.devices?.results?.map(({ pool, device }) => `${pool}/${device}`);
const usersOf = (name: string): string[] => claimOf(name).status?.reservedFor?.map((user) => user.name) ?? [];
const setStatus = (name: string, status: object): unknown =>
  test.cluster.put(resourceClaim, { ...claimOf(name), status } as ResourceClaim);
const NO_PREEMPTION = (nodes: number) =>
  `preemption: 0/${nodes} nodes are available: ${nodes} Preemption is not helpful for scheduling.`;

describe('a pod with a claim', () => {
  it('is bound where there is a device, after its claim has that and is kept from going', async () => {
    test.put(makeNode('a'), makeNode('b'), makeSlice('b', ['x', 'y']), makeClaim('c'), using('p', 'c'));
    test.start();
    await settle();
    expect(test.nodeOf('p')).toEqual(['b']);
    expect(claimOf('c')).toMatchObject({
      metadata: { finalizers: ['resource.kubernetes.io/delete-protection'] },
      status: {
        allocation: {
          allocationTimestamp: '2026-01-01T00:00:00Z',
          devices: { results: [resultOf('b', 'x')] },
          nodeSelector: {
            nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['b'] }] }],
          },
        },
        reservedFor: [{ resource: 'pods', name: 'p', uid: 'uid-p' }],
      },
    });
    expect(test.cluster.sent.map(({ command }) => `${command.kind.plural}/${command.subresource ?? ''}`)).toEqual([
      'resourceclaims/',
      'resourceclaims/status',
      'pods/binding',
    ]);
  });

  it('waits for a device that another has, says so, and gets it when that is given back', async () => {
    test.put(makeNode('a'), makeSlice('a', ['x']), makeClaim('c'), makeClaim('d'), using('p', 'c'), using('q', 'd'));
    test.start();
    await settle();
    expect(test.nodeOf('p', 'q')).toEqual(['a', undefined]);
    expect(test.said('FailedScheduling')).toEqual([
      `0/1 nodes are available: 1 cannot allocate all claims. still not schedulable, ${NO_PREEMPTION(1)}`,
    ]);
    test.cluster.remove(podKind, 'default', 'p');
    await settle();
    expect(test.nodeOf('q')).toEqual([undefined]);
    setStatus('c', {});
    await settle();
    expect(test.nodeOf('q')).toEqual(['a']);
    expect(devicesOf('d')).toEqual(['a/x']);
  });

  it('never gets what another got a moment ago, though the cache does not show it yet', async () => {
    const names = ['1', '2', '3', '4'];
    test.put(makeNode('a'), makeNode('b'), makeSlice('a', ['x']), makeSlice('b', ['x', 'y']));
    test.put(...names.map((name) => makeClaim(`c${name}`)));
    test.start();
    await settle();
    test.put(...names.map((name) => using(`p${name}`, `c${name}`)));
    test.cluster.lagging = true;
    await settle();
    test.cluster.deliver();
    await settle();
    const devices = names.flatMap((name) => devicesOf(`c${name}`) ?? []);
    expect(devices.sort()).toEqual(['a/x', 'b/x', 'b/y']);
    expect(test.nodeOf('p1', 'p2', 'p3', 'p4').filter(Boolean)).toHaveLength(3);
  });

  it('is not looked at before its claim is there', async () => {
    test.put(makeNode('a'), makeSlice('a', ['x']), using('p', 'c'));
    test.start();
    await settle(400_000);
    expect([test.cluster.sent, test.events]).toEqual([[], []]);
    test.put(makeClaim('c'));
    await settle();
    expect(test.nodeOf('p')).toEqual(['a']);
  });

  it('has its own claim of a template, once its status names it', async () => {
    const pod = makePod('p', {
      resourceClaims: [
        { name: 'gpu', resourceClaimTemplateName: 't' },
        { name: 'no', resourceClaimTemplateName: 'u' },
      ],
    });
    const named = (name: string) => ({
      ...pod,
      status: { resourceClaimStatuses: [{ name: 'gpu', resourceClaimName: name }, { name: 'no' }] },
    });
    const owner = (uid: string) => [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid, controller: true }];
    const owned = (name: string, uid: string) => {
      const claim = makeClaim(name);
      return { ...claim, metadata: { ...claim.metadata, ownerReferences: owner(uid) } };
    };
    test.put(makeNode('a'), makeSlice('a', ['x']), owned('mine', 'uid-p'), owned('other', 'uid-q'), pod);
    test.start();
    await settle();
    test.put(named('other'));
    await settle();
    expect(test.nodeOf('p')).toEqual([undefined]);
    test.put(named('mine'));
    await settle();
    expect(test.nodeOf('p')).toEqual(['a']);
    expect(usersOf('mine')).toEqual(['p']);
  });

  it('waits for the class of the claim', async () => {
    test.put(makeNode('a'), makeSlice('a', ['x']));
    test.put(makeClaim('c', { requests: [asking('r', { deviceClassName: 'fpga' })] }), using('p', 'c'));
    test.start();
    await settle();
    expect(test.said('FailedScheduling')).toEqual([
      `0/1 nodes are available: request r: device class fpga does not exist. no new claims to deallocate, ${NO_PREEMPTION(1)}`,
    ]);
    test.put(makeClass('fpga'));
    await settle();
    expect(test.nodeOf('p')).toEqual(['a']);
  });

  it('is woken by new devices, but not by those of nodes that do not help', async () => {
    test.put(makeNode('a'), makeNode('b', { spec: { unschedulable: true } }), makeClaim('c'), using('p', 'c'));
    test.start();
    await settle();
    test.put(makeSlice('b', ['x']));
    await settle();
    expect(test.metrics.text()).toContain('{result="unschedulable",profile="default-scheduler"} 1');
    test.put(makeSlice('a', ['x']));
    await settle();
    expect(test.nodeOf('p')).toEqual(['a']);
  });

  it('shares it with others, on the nodes where it can be used', async () => {
    test.put(makeNode('a'), makeNode('b'), makeSlice('b', ['x']), makeClaim('c'));
    test.put(using('p', 'c'), using('q', 'c'), using('r', 'c'));
    test.start();
    await settle(10_000);
    expect(test.nodeOf('p', 'q', 'r')).toEqual(['b', 'b', 'b']);
    expect(usersOf('c').sort()).toEqual(['p', 'q', 'r']);
    expect(test.said('FailedScheduling').slice(0, 1)).toEqual([
      `0/2 nodes are available: resource claim default/c is in the process of being allocated. no new claims to deallocate, ${NO_PREEMPTION(2)}`,
    ]);
  });

  it('prefers nodes where the better of its alternatives can be had', async () => {
    const driver = (name: string, of: string) => ({
      ...{ name, deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 1 },
      selectors: [celSelector(`device.driver == "${of}"`)],
    });
    const firstAvailable = [driver('best', 'best.example.com'), driver('good', 'good.example.com')];
    test.put(
      makeSlice('a', ['x'], { driver: 'good.example.com' }),
      makeSlice('c', ['x'], { driver: 'good.example.com' }),
    );
    test.put(makeSlice('b', ['x'], { driver: 'best.example.com' }));
    test.put(makeNode('a'), makeNode('b'), makeNode('c'));
    test.put(makeClaim('c', { requests: [{ name: 'r', firstAvailable }] }), using('p', 'c'));
    test.start();
    await settle();
    expect(test.nodeOf('p')).toEqual(['b']);
    expect(claimOf('c').status?.allocation?.devices?.results).toMatchObject([{ request: 'r/best', pool: 'b' }]);
  });
});

describe('a claim that has devices elsewhere', () => {
  const onA = (...users: string[]) => allocated([resultOf('a', 'x')], 'a', ...users);
  const closed = makeNode('a', { spec: { unschedulable: true } });

  it('loses them when nobody uses it, and is allocated where the pod fits', async () => {
    test.put(closed, makeNode('b'), makeSlice('a', ['x']), makeSlice('b', ['y']));
    test.put(makeClaim('c', undefined, onA()), using('p', 'c'));
    test.start();
    await settle(10_000);
    expect(test.said('FailedScheduling')).toEqual([
      `0/2 nodes are available: 1 node(s) were unschedulable, 1 resourceclaim not available on the node. deallocation of ResourceClaim completed, ${NO_PREEMPTION(2)}`,
    ]);
    expect(devicesOf('c')).toEqual(['b/y']);
    expect(test.nodeOf('p')).toEqual(['b']);
  });

  it('keeps them while a pod is bound that uses it, though that is not written yet', async () => {
    test.put(makeNode('a'), makeNode('b'), makeSlice('a', ['x']), makeClaim('c', undefined, onA()), using('p', 'c'));
    const away = {
      ...using('q', 'c'),
      spec: { ...using('q', 'c').spec, nodeSelector: { 'kubernetes.io/hostname': 'b' } },
    };
    let write = (): void => undefined;
    test.answer = ({ kind, subresource }) =>
      kind.plural === 'resourceclaims' && subresource === 'status'
        ? new Promise((resolve) => {
            write = () => resolve(undefined);
          })
        : undefined;
    test.start();
    await settle();
    test.put(away as Pod);
    await settle();
    expect(test.said('FailedScheduling')[0]).toContain('still not schedulable');
    write();
    await settle();
    expect([test.nodeOf('p', 'q'), usersOf('c')]).toEqual([['a', undefined], ['p']]);
  });

  it('keeps them when the pod would not get what it needs beside that', async () => {
    test.put(closed, makeNode('b'), makeSlice('a', ['x']), makeClaim('c', undefined, onA()), makeClaim('d'));
    test.put(using('p', 'c', 'd'));
    test.start();
    await settle(10_000);
    expect(test.said('FailedScheduling')).toEqual([
      `0/2 nodes are available: 1 cannot allocate all claims, 1 node(s) were unschedulable. still not schedulable, ${NO_PREEMPTION(2)}`,
    ]);
    expect(devicesOf('c')).toEqual(['a/x']);
  });

  it('keeps them when somebody uses it', async () => {
    test.put(closed, makeNode('b'), makeSlice('a', ['x']), makeSlice('b', ['y']));
    test.put(makeClaim('c', undefined, onA('other')), using('p', 'c'));
    test.start();
    await settle(10_000);
    expect(test.said('FailedScheduling')).toEqual([
      `0/2 nodes are available: 1 node(s) were unschedulable, 1 resourceclaim not available on the node. still not schedulable, ${NO_PREEMPTION(2)}`,
    ]);
    expect(devicesOf('c')).toEqual(['a/x']);
  });
});

describe('devices that have to become ready', () => {
  const device = { name: 'x', bindingConditions: ['Attached'], bindingFailureConditions: ['Broken'] };
  const say = (type: string) =>
    setStatus('c', {
      ...claimOf('c').status,
      devices: [
        { driver: DRIVER, pool: 'a', device: 'x', conditions: [{ type, status: 'True', reason: 'Why', message: 'm' }] },
      ],
    });

  beforeEach(() => {
    test.put(makeNode('a'), makeSlice('a', [device]), makeClaim('c'), using('p', 'c'));
    test.start();
  });

  it('are waited for', async () => {
    await settle(60_000);
    expect(test.nodeOf('p')).toEqual([undefined]);
    expect(usersOf('c')).toEqual(['p']);
    expect(test.said('BindingConditionsPending')).toEqual(['waiting for binding conditions for device on node a']);
    say('Attached');
    await settle(0);
    expect(test.nodeOf('p')).toEqual(['a']);
  });

  it('are not preferred to those that are', async () => {
    test.put(makeSlice('b1', [device], { nodeName: 'b' }), makeSlice('b2', ['y'], { nodeName: 'b' }), makeNode('b'));
    test.put(makeClaim('d'), using('q', 'd'));
    await settle();
    expect([test.nodeOf('q'), devicesOf('d')]).toEqual([['b'], ['b2/y']]);
  });

  it.each([
    ['when one has failed', () => say('Broken'), 'claim c binding failed: reason=Why, message="m"'],
    ['when it takes too long', () => undefined, 'device binding timeout'],
  ])('are given back %s', async (_, happen, why) => {
    await settle();
    happen();
    await settle(605_000);
    expect(test.said('FailedScheduling').slice(0, 2)).toEqual([
      `running PreBind plugin "DynamicResources": ${why}`,
      `0/1 nodes are available: 1 resourceclaim not available on the node. deallocation of ResourceClaim completed, ${NO_PREEMPTION(1)}`,
    ]);
    expect(claimOf('c').status?.devices).toBeUndefined();
  });
});

describe('what can not be written', () => {
  const refusal = (what: string) => invalid({ group: '', kind: what }, 'p', []);

  it('leaves the device to others, when it is the claim', async () => {
    test.put(makeNode('a'), makeSlice('a', ['x']), makeClaim('c'), makeClaim('d'), using('p', 'c'), using('q', 'd'));
    let refuse = (): void => undefined;
    test.answer = ({ kind, name, subresource }) =>
      kind.plural === 'resourceclaims' && name === 'c' && subresource === 'status'
        ? new Promise((_, reject) => {
            refuse = () => reject(refusal('ResourceClaim'));
          })
        : undefined;
    test.start();
    await settle();
    expect(test.nodeOf('p', 'q')).toEqual([undefined, undefined]);
    test.cluster.remove(podKind, 'default', 'p');
    refuse();
    await settle();
    expect(test.nodeOf('q')).toEqual(['a']);
    expect([devicesOf('c'), devicesOf('d')]).toEqual([undefined, ['a/x']]);
  });

  it('is said, and tried again', async () => {
    test.put(makeNode('a'), makeSlice('a', ['x']), makeClaim('c'), using('p', 'c'));
    let fails = true;
    test.answer = ({ kind, subresource }) => {
      if (kind.plural !== 'resourceclaims' || subresource !== 'status' || !fails) return undefined;
      fails = false;
      return Promise.reject(refusal('ResourceClaim'));
    };
    test.start();
    await settle();
    expect(test.said('FailedScheduling')).toEqual([
      expect.stringMatching(
        /^running PreBind plugin "DynamicResources": add allocation and reservation to claim default\/c: /,
      ),
    ]);
    expect(test.nodeOf('p')).toEqual(['a']);
  });

  it('takes the reservation back, when it is the binding', async () => {
    test.put(makeNode('a'), makeSlice('a', ['x']), makeClaim('c'), using('p', 'c'));
    let fails = true;
    test.answer = ({ subresource }) => {
      if (subresource !== 'binding' || !fails) return undefined;
      expect(usersOf('c')).toEqual(['p']);
      fails = false;
      return Promise.reject(refusal('Pod'));
    };
    test.start();
    await vi.advanceTimersByTimeAsync(500);
    expect([test.nodeOf('p'), usersOf('c'), devicesOf('c')]).toEqual([[undefined], [], ['a/x']]);
    await settle();
    expect([test.nodeOf('p'), usersOf('c')]).toEqual([['a'], ['p']]);
  });

  it('keeps the devices of the other claim from others until its write has ended, too', async () => {
    test.put(makeNode('a'), makeSlice('a', ['x', 'y']), makeClaim('c'), makeClaim('d'), makeClaim('e'));
    test.put(using('p', 'c', 'd'), makePod('q', { ...using('q', 'e').spec, priority: -1 }));
    const late: (() => void)[] = [];
    test.answer = ({ kind, name, subresource }) => {
      if (kind.plural !== 'resourceclaims' || subresource !== 'status' || late.length > 0) return undefined;
      if (name === 'c') return Promise.reject(refusal('ResourceClaim'));
      return name === 'd' ? new Promise((resolve) => late.push(() => resolve(undefined))) : undefined;
    };
    test.start();
    await settle();
    expect([test.nodeOf('q'), devicesOf('e')]).toEqual([[undefined], undefined]);
    late[0]!();
    await settle(10_000);
    const devices = ['c', 'd', 'e'].flatMap((name) => devicesOf(name) ?? []);
    expect(new Set(devices).size).toBe(devices.length);
    expect(test.nodeOf('p', 'q')).toEqual([undefined, 'a']);
  });

  it('is found out before the pod is tried again, where nobody says whether the reservation was taken back', async () => {
    test.put(makeNode('a'), makeSlice('a', ['x']), makeClaim('c'), using('p', 'c'));
    let bindings = 0;
    let statuses = 0;
    test.answer = (command) => {
      if (command.subresource === 'binding' && ++bindings === 1) return Promise.reject(refusal('Pod'));
      if (command.kind.plural !== 'resourceclaims' || command.subresource !== 'status' || ++statuses !== 2)
        return undefined;
      test.cluster.lagging = true;
      test.cluster.apply(command);
      return Promise.reject(new OutcomeUnknownError('ServiceUnavailable', 'lost'));
    };
    test.start();
    await settle(5_000);
    expect([test.nodeOf('p'), usersOf('c')]).toEqual([[undefined], []]);
    test.cluster.lagging = false;
    test.cluster.deliver();
    await settle();
    expect([test.nodeOf('p'), usersOf('c')]).toEqual([['a'], ['p']]);
  });

  it('is tried again with the claim as it is now, when somebody else wrote it meanwhile', async () => {
    test.put(makeNode('a'), makeSlice('a', ['x']), makeClaim('c'), using('p', 'c'));
    let writes = 0;
    test.answer = ({ kind, subresource }) => {
      if (kind.plural !== 'resourceclaims' || subresource !== 'status' || ++writes > 1) return undefined;
      const claim = claimOf('c');
      test.cluster.put(resourceClaim, {
        ...claim,
        metadata: { ...claim.metadata, labels: { a: 'b' } },
      } as ResourceClaim);
      return undefined;
    };
    test.start();
    await vi.advanceTimersByTimeAsync(500);
    expect(test.nodeOf('p')).toEqual(['a']);
    expect(test.said('FailedScheduling')).toEqual([]);
  });

  it('is given up when the claim that it shares was given back', async () => {
    test.put(makeNode('a'), makeSlice('a', ['x']), makeClaim('c', undefined, allocated([resultOf('a', 'x')], 'a')));
    test.put(using('p', 'c'));
    let writes = 0;
    test.answer = ({ subresource }) => {
      if (subresource === 'status' && ++writes === 1) setStatus('c', {});
      return undefined;
    };
    test.start();
    await settle();
    expect(test.said('FailedScheduling')).toEqual([
      'running PreBind plugin "DynamicResources": claim default/c got deallocated in the meantime',
    ]);
    expect([test.nodeOf('p'), devicesOf('c'), usersOf('c')]).toEqual([['a'], ['a/x'], ['p']]);
  });

  it('is given up when somebody else allocated the claim', async () => {
    test.put(makeNode('a'), makeSlice('a', ['x', 'y']), makeClaim('c'), using('p', 'c'));
    test.answer = ({ kind, subresource }) => {
      if (kind.plural === 'resourceclaims' && !subresource) setStatus('c', allocated([resultOf('a', 'y')], 'a'));
      return undefined;
    };
    test.start();
    await settle();
    expect(test.said('FailedScheduling')).toEqual([
      'running PreBind plugin "DynamicResources": claim default/c got allocated elsewhere in the meantime',
    ]);
    expect([test.nodeOf('p'), devicesOf('c'), usersOf('c')]).toEqual([['a'], ['a/y'], ['p']]);
  });
});

describe('a gang whose pods have claims', () => {
  const gang = (minCount: number) =>
    test.cluster.put(podGroup, {
      apiVersion: 'scheduling.k8s.io/v1alpha2',
      kind: 'PodGroup',
      metadata: { name: 'g', namespace: 'default' },
      spec: { schedulingPolicy: { gang: { minCount } } },
    } as never);
  const member = (name: string, claim: string) => {
    const pod = using(name, claim);
    return { ...pod, spec: { ...pod.spec, schedulingGroup: { podGroupName: 'g' } } } as Pod;
  };

  it('is bound when all of them get devices, and not before', async () => {
    gang(3);
    test.put(makeNode('a'), makeNode('b'), makeSlice('a', ['x', 'y']));
    test.put(makeClaim('1'), makeClaim('2'), makeClaim('3'), member('p', '1'), member('q', '2'), member('r', '3'));
    test.start();
    await settle(10_000);
    expect(test.nodeOf('p', 'q', 'r')).toEqual([undefined, undefined, undefined]);
    expect(['1', '2', '3'].map(devicesOf)).toEqual([undefined, undefined, undefined]);
    test.put(makeSlice('b', ['z']));
    await settle(10_000);
    expect(test.nodeOf('p', 'q', 'r').sort()).toEqual(['a', 'a', 'b']);
    expect(['1', '2', '3'].flatMap(devicesOf).sort()).toEqual(['a/x', 'a/y', 'b/z']);
  });

  it('gets other devices for a claim that nobody uses, where one has them elsewhere', async () => {
    gang(2);
    test.put(makeNode('a', { spec: { unschedulable: true } }), makeNode('b'));
    test.put(makeSlice('a', ['x']), makeSlice('b', ['y', 'z']));
    test.put(makeClaim('1', undefined, allocated([resultOf('a', 'x')], 'a')), makeClaim('2'));
    test.put(member('p', '1'), member('q', '2'));
    test.start();
    await settle(10_000);
    expect(test.nodeOf('p', 'q')).toEqual(['b', 'b']);
  });

  it('may share one claim', async () => {
    gang(2);
    test.put(makeNode('a'), makeNode('b'), makeSlice('b', ['x']), makeClaim('1'), member('p', '1'), member('q', '1'));
    test.start();
    await settle();
    expect(test.nodeOf('p', 'q')).toEqual(['b', 'b']);
    expect(usersOf('1').sort()).toEqual(['p', 'q']);
  });
});
