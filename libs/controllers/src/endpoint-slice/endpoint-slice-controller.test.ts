import { type EndpointSlice, endpointSlice, node, type Pod, pod, type Service, service } from '@periplus/api';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { Simulation } from '../simulation.ts';
import { endpointSliceController } from './endpoint-slice-controller.ts';
import type { Endpoint, SliceView } from './endpoints.ts';
import { ENDPOINTS_MAX, packEndpoints } from './slice-packing.ts';

const web = (spec: Partial<Service['spec']> = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'd', name: 'web', labels: { team: 'a' } },
  spec: {
    selector: { app: 'web' },
    clusterIP: '10.0.0.1',
    ipFamilies: ['IPv4'],
    ports: [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }],
    ...spec,
  },
});
let sim: Simulation;
let addresses: number;
beforeEach(() => {
  sim = new Simulation(endpointSliceController);
  addresses = 0;
});
const putPod = (
  name: string,
  options: { ready?: boolean; labels?: Record<string, string>; spec?: Partial<Pod['spec']>; ips?: string[] } = {},
): Pod => {
  const { ready = true, labels = { app: 'web' }, spec = {}, ips = [`10.1.0.${++addresses}`] } = options;
  return sim.cluster.put(pod, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'd', name, labels },
    spec: { nodeName: 'n1', containers: [], ...spec },
    status: {
      phase: 'Running',
      podIP: ips[0],
      podIPs: ips.map((ip) => ({ ip })),
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  });
};
const slices = () => sim.cluster.view().list(endpointSlice) as readonly EndpointSlice[];
const endpoints = () => slices().flatMap((slice) => slice.endpoints ?? []);

describe('the EndpointSlice controller', () => {
  it('makes a slice of the pods that a Service selects', () => {
    const { metadata } = sim.cluster.put(service, web());
    const target = putPod('p');
    putPod('other', { labels: { app: 'db' } });
    sim.settle();
    expect(slices()).toHaveLength(1);
    expect(slices()[0]).toMatchObject({
      metadata: {
        name: expect.stringMatching(/^web-[a-z0-9]{5}$/),
        generateName: 'web-',
        labels: {
          team: 'a',
          'kubernetes.io/service-name': 'web',
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: 'web', uid: metadata.uid, controller: true }],
      },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      endpoints: [
        {
          addresses: ['10.1.0.1'],
          conditions: { ready: true, serving: true, terminating: false },
          nodeName: 'n1',
          targetRef: { kind: 'Pod', namespace: 'd', name: 'p', uid: target.metadata.uid },
        },
      ],
    });
  });

  it.each([
    ['ready', true, false, false, { ready: true, serving: true, terminating: false }],
    ['not ready', false, false, false, { ready: false, serving: false, terminating: false }],
    ['on its way out', true, true, false, { ready: false, serving: true, terminating: true }],
    ['not ready but wanted all the same', false, false, true, { ready: true, serving: false, terminating: false }],
  ])('shows a pod that is %s', (_what, ready, leaving, publishNotReadyAddresses, conditions) => {
    sim.cluster.put(service, web({ publishNotReadyAddresses }));
    const target = putPod('p', { ready });
    if (leaving) sim.cluster.apply({ verb: 'delete', kind: pod, namespace: 'd', name: target.metadata.name! });
    sim.settle();
    expect(endpoints()[0]?.conditions).toEqual(conditions);
  });

  it('leaves out pods that ended or have no address', () => {
    sim.cluster.put(service, web());
    sim.cluster.put(pod, { ...putPod('ended'), status: { phase: 'Succeeded', podIP: '10.1.0.9' } });
    putPod('unborn', { ips: [] });
    sim.settle();
    expect(slices()).toHaveLength(1);
    expect(endpoints()).toEqual([]);
  });

  it('finds named ports in each pod, and puts pods with other numbers into other slices', () => {
    sim.cluster.put(service, web({ ports: [{ name: 'http', port: 80, targetPort: 'web' }] }));
    for (const [name, containerPort] of [
      ['a', 8080],
      ['b', 9090],
      ['c', 8080],
    ] as const) {
      putPod(name, { spec: { containers: [{ name: 'c', ports: [{ name: 'web', containerPort }] }] } });
    }
    sim.settle();
    const byPort = slices()
      .map((slice) => [slice.ports?.[0]?.port, slice.endpoints?.length])
      .sort();
    expect(byPort).toEqual([
      [8080, 2],
      [9090, 1],
    ]);
    sim.cluster.remove(pod, 'd', 'b');
    sim.settle();
    expect(slices()).toHaveLength(1);
  });

  it('says in one slice that there is nothing, which is the same before and after', () => {
    sim.cluster.put(service, web());
    sim.settle();
    const [empty] = slices();
    expect(empty).toMatchObject({ endpoints: [], ports: [] });
    const seen = () => slices().map(({ metadata, ports, endpoints: of }) => [metadata.name, ports?.length, of?.length]);
    const { name } = empty!.metadata;
    putPod('p');
    sim.settle();
    expect(seen()).toEqual([[name, 1, 1]]);
    sim.cluster.remove(pod, 'd', 'p');
    sim.settle();
    expect(seen()).toEqual([[name, 0, 0]]);
  });

  it('changes the slices that are there when the ports of its Service change', () => {
    sim.cluster.put(service, web());
    for (let i = 0; i < 101; i += 1) putPod(`p${i}`);
    sim.settle();
    const names = () =>
      slices()
        .map(({ metadata }) => metadata.name)
        .sort();
    const before = names();
    expect(before).toHaveLength(2);
    sim.cluster.put(service, web({ ports: [{ name: 'http', port: 80, targetPort: 9090, protocol: 'TCP' }] }));
    sim.settle();
    expect(names()).toEqual(before);
    expect(slices().map(({ ports }) => ports?.map(({ port }) => port))).toEqual([[9090], [9090]]);
    expect(endpoints()).toHaveLength(101);
  });

  it('keeps addresses of two families apart', () => {
    sim.cluster.put(service, web({ ipFamilies: ['IPv4', 'IPv6'] }));
    putPod('p', { ips: ['10.1.0.1', 'fd00::1'] });
    sim.settle();
    expect(slices().map(({ addressType, endpoints: of }) => [addressType, of?.[0]?.addresses])).toEqual([
      ['IPv4', ['10.1.0.1']],
      ['IPv6', ['fd00::1']],
    ]);
  });

  it('gives host names to pods of a headless Service, and zones of their nodes', () => {
    sim.cluster.put(service, web({ clusterIP: 'None' }));
    sim.cluster.put(node, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n1', labels: { 'topology.kubernetes.io/zone': 'z1' } },
      spec: {},
    });
    putPod('p', { spec: { hostname: 'web-0', subdomain: 'web', containers: [] } });
    sim.settle();
    expect(endpoints()[0]).toMatchObject({ hostname: 'web-0', zone: 'z1' });
    expect(slices()[0]?.metadata.labels).toHaveProperty(['service.kubernetes.io/headless'], '');
  });

  it('follows the labels of its Service', () => {
    sim.cluster.put(service, web());
    sim.settle();
    sim.cluster.put(service, { ...web(), metadata: { namespace: 'd', name: 'web', labels: { tier: 'b' } } });
    sim.settle();
    expect(slices()[0]?.metadata.labels).toMatchObject({ tier: 'b' });
    expect(slices()[0]?.metadata.labels).not.toHaveProperty('team');
  });

  it('does nothing for Services without a selector, and for names of other hosts', () => {
    sim.cluster.put(service, web({ selector: undefined }));
    sim.settle();
    sim.cluster.put(service, web({ type: 'ExternalName', externalName: 'example.com' }));
    sim.settle();
    expect(slices()).toEqual([]);
  });

  it('splits many endpoints into slices of a hundred and comes to rest', () => {
    sim.cluster.put(service, web());
    for (let i = 0; i < 250; i++) putPod(`p${i}`, { ips: [`10.1.${i >> 8}.${i & 255}`] });
    sim.settle();
    expect(
      slices()
        .map((slice) => slice.endpoints?.length)
        .sort(),
    ).toEqual([100, 100, 50]);
  });

  it('is woken by pods that come to or leave a Service, not by those that change otherwise', () => {
    sim.cluster.put(service, web());
    const target = putPod('p');
    const rule = endpointSliceController.watches.find(({ kind }) => kind === pod)!;
    const view = sim.cluster.view();
    const ref = [{ namespace: 'd', name: 'web' }];
    const relabelled = { ...target, metadata: { ...target.metadata, labels: { app: 'x' } } };
    expect(rule.keys(target, null, view)).toEqual(ref);
    expect(rule.keys(null, target, view)).toEqual(ref);
    expect(rule.keys(relabelled, target, view)).toEqual(ref);
    expect(
      rule.keys({ ...target, metadata: { ...target.metadata, annotations: { a: 'b' } } } as Pod, target, view),
    ).toEqual([]);
  });
});

describe('packing endpoints into slices', () => {
  const endpoint = (id: number): Endpoint => ({ addresses: [`10.0.0.${id}`], targetRef: { uid: `u${id}` } });
  it('holds each endpoint exactly once, fills slices to a hundred, and changes no slice without need', () => {
    const ids = fc.uniqueArray(fc.nat(600), { maxLength: 350 });
    fc.assert(
      fc.property(fc.array(ids, { maxLength: 5 }), ids, (present, wantedIds) => {
        const seen = new Set<number>();
        const before = present.map((list, at): SliceView => {
          const own = list.filter((id) => !seen.has(id)).slice(0, ENDPOINTS_MAX);
          for (const id of own) seen.add(id);
          return {
            apiVersion: 'discovery.k8s.io/v1',
            kind: 'EndpointSlice',
            metadata: { name: `s${at}` },
            addressType: 'IPv4',
            endpoints: own.map(endpoint),
          };
        });
        const { update, create, remove } = packEndpoints(before, wantedIds.map(endpoint));
        const after = [
          ...before
            .filter((slice) => !remove.includes(slice))
            .map((slice) => update.get(slice) ?? slice.endpoints ?? []),
          ...create,
        ];
        const held = after.flat().map(({ targetRef }) => targetRef?.uid);
        expect([...held].sort()).toEqual(wantedIds.map((id) => `u${id}`).sort());
        for (const list of after) expect(list.length).toBeLessThanOrEqual(ENDPOINTS_MAX);
        expect(after.length).toBeGreaterThan(0);
        const isSame = wantedIds.length === seen.size && wantedIds.every((id) => seen.has(id));
        if (isSame && before.length > 0) expect(update.size + create.length).toBe(0);
      }),
      { numRuns: 200 },
    );
  });
});
