import type {
  FlowSchema,
  Ingress,
  PersistentVolumeClaim,
  Pod,
  PriorityClass,
  PriorityLevelConfiguration,
} from '@periplus/api';
import { bootstrap, type RequestContext } from '@periplus/operations';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, at, body, podOf, ROOT_CA, refusal, serviceAccountOf, startCore, type TestCore } from './core.ts';

let core: TestCore;
beforeAll(async () => {
  core = await startCore();
  for (const namespace of ['limited', 'free']) {
    await core.create('v1/namespaces', '', { metadata: { name: namespace } });
    await core.create('v1/serviceaccounts', namespace, serviceAccountOf('default'));
  }
});
afterAll(() => core[Symbol.asyncDispose]());

const settled = async () => core.cache.waitFor(await core.cache.current());
const createPod = async (namespace: string, name: string, more: Record<string, unknown> = {}): Promise<Pod> =>
  (await core.create('v1/pods', namespace, podOf(name, more))).object as Pod;
const remove = (resource: string, name: string, namespace = '') =>
  core.operations.delete(core.as(admin), at(resource, namespace, name), {});
const patch = (resource: string, name: string, value: object) =>
  core.operations.patch(core.as(admin), at(resource, '', name), {
    mediaType: 'application/merge-patch+json',
    body: body(value),
  });

const PRIORITY = 'scheduling.k8s.io/v1/priorityclasses';
const classOf = (name: string, value: number, more: object = {}) => ({ metadata: { name }, value, ...more });

describe('a fresh cluster', () => {
  it('has the classes of the system', async () => {
    const found = (await core.get(PRIORITY, '', 'system-node-critical')) as PriorityClass;
    expect(found).toMatchObject({ value: 2_000_001_000, metadata: { generation: 1 } });
    expect(await createPod('free', 'critical', { priorityClassName: 'system-cluster-critical' })).toMatchObject({
      spec: { priority: 2_000_000_000, preemptionPolicy: 'PreemptLowerPriority' },
    });
  });

  it('keeps requests apart as Kubernetes does', async () => {
    const list = async (resource: string) =>
      (await core.operations.list(core.as(admin), at(`flowcontrol.apiserver.k8s.io/v1/${resource}`), {})).items;
    const levels = (await list('prioritylevelconfigurations')).map(
      ({ object }) => object as PriorityLevelConfiguration,
    );
    expect(
      levels.map(({ metadata, spec }) => `${metadata.name} ${spec.limited?.nominalConcurrencyShares ?? '-'}`),
    ).toEqual([
      'catch-all 5',
      'exempt -',
      'global-default 20',
      'leader-election 10',
      'node-high 40',
      'system 30',
      'workload-high 40',
      'workload-low 100',
    ]);
    const schemas = (await list('flowschemas')).map(({ object }) => object as FlowSchema);
    const shown = schemas
      .sort((a, b) => a.spec.matchingPrecedence! - b.spec.matchingPrecedence!)
      .map(
        ({ metadata, spec }) => `${spec.matchingPrecedence} ${metadata.name} ${spec.priorityLevelConfiguration.name}`,
      );
    expect(shown).toEqual([
      '1 exempt exempt',
      '2 probes exempt',
      '100 system-leader-election leader-election',
      '150 endpoint-controller workload-high',
      '200 workload-leader-election leader-election',
      '400 system-node-high node-high',
      '500 system-nodes system',
      '800 kube-controller-manager workload-high',
      '800 kube-scheduler workload-high',
      '900 kube-system-service-accounts workload-high',
      '9000 service-accounts workload-low',
      '9900 global-default global-default',
      '10000 catch-all catch-all',
    ]);
  });

  it('gets its flow schemas back at the next start, but for those that somebody wants otherwise', async () => {
    const SCHEMAS = 'flowcontrol.apiserver.k8s.io/v1/flowschemas';
    const precedence = async (name: string) =>
      ((await core.get(SCHEMAS, '', name)) as FlowSchema).spec.matchingPrecedence;
    await patch(SCHEMAS, 'system-nodes', { spec: { matchingPrecedence: 600 } });
    await patch(SCHEMAS, 'global-default', {
      metadata: { annotations: { 'apf.kubernetes.io/autoupdate-spec': 'false' } },
      spec: { matchingPrecedence: 9800 },
    });
    const { operations, network } = core;
    const advertised = { address: '192.168.1.10', port: 6443 };
    await bootstrap({ operations, network, advertised, clientAuthority: Buffer.from(ROOT_CA), now: Date.now });
    expect([await precedence('system-nodes'), await precedence('global-default')]).toEqual([500, 9800]);
  });
});

describe('the priority of a pod', () => {
  it('is that of its class', async () => {
    await core.create(PRIORITY, '', classOf('low', -5, { preemptionPolicy: 'Never' }));
    const pod = await createPod('free', 'low', { priorityClassName: 'low' });
    expect(pod.spec).toMatchObject({ priority: -5, preemptionPolicy: 'Never' });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['of a class that is not there', { priorityClassName: 'none' }, 'no PriorityClass with name none was found'],
    [
      'by hand',
      { priority: 7 },
      'the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
    ],
    [
      'with a policy of its own',
      { preemptionPolicy: 'Never' },
      'the string value of PreemptionPolicy (Never) must not be provided in pod spec; priority admission controller computed PreemptLowerPriority from the given PriorityClass name',
    ],
  ])('is not one %s', async (_what, more, why) => {
    const error = await refusal(createPod('free', 'refused', more));
    expect([error.code, error.message]).toEqual([403, `pods "refused" is forbidden: ${why}`]);
  });

  it('is by default that of the one default class', async () => {
    await core.create(PRIORITY, '', classOf('usual', 100, { globalDefault: true }));
    await settled();
    const pod = await createPod('free', 'usual');
    expect(pod.spec).toMatchObject({ priorityClassName: 'usual', priority: 100 });
    const error = await refusal(core.create(PRIORITY, '', classOf('other', 1, { globalDefault: true })));
    expect(error.message).toBe(
      'priorityclasses.scheduling.k8s.io "other" is forbidden: PriorityClass usual is already marked as default. Only one default can exist',
    );
    await patch(PRIORITY, 'usual', { description: 'still the default' });
    await remove(PRIORITY, 'usual');
    await settled();
    expect((await createPod('free', 'unusual')).spec.priority).toBe(0);
  });
});

describe('limit ranges', () => {
  beforeAll(async () => {
    await core.create('v1/limitranges', 'limited', {
      metadata: { name: 'cpu' },
      spec: {
        limits: [{ type: 'Container', default: { cpu: '500m' }, defaultRequest: { cpu: '200m' }, max: { cpu: '1' } }],
      },
    });
    await core.create('v1/limitranges', 'limited', {
      metadata: { name: 'memory' },
      spec: {
        limits: [
          { type: 'Pod', max: { memory: '1Gi' } },
          { type: 'Container', default: { memory: '512Mi' } },
        ],
      },
    });
    await settled();
  });

  it('fill in what containers leave out', async () => {
    const { spec, metadata } = await createPod('limited', 'filled', {
      containers: [
        { name: 'a', image: 'x' },
        { name: 'b', image: 'x', resources: { limits: { cpu: '1', memory: '1Mi' } } },
      ],
    });
    expect(spec.containers.map(({ resources }) => resources)).toEqual([
      { requests: { cpu: '200m', memory: '512Mi' }, limits: { cpu: '500m', memory: '512Mi' } },
      { requests: { cpu: '1', memory: '1Mi' }, limits: { cpu: '1', memory: '1Mi' } },
    ]);
    expect(metadata.annotations?.['kubernetes.io/limit-ranger']).toBe(
      'LimitRanger plugin set: memory request for container a; memory limit for container a',
    );
  });

  it('refuse what does not keep to them', async () => {
    const containers = [
      { name: 'a', image: 'x', resources: { limits: { cpu: '2', memory: '1Gi' } } },
      { name: 'b', image: 'x', resources: { limits: { cpu: '2' } } },
    ];
    const error = await refusal(createPod('limited', 'greedy', { containers }));
    expect([error.code, error.message]).toEqual([
      403,
      'pods "greedy" is forbidden: maximum cpu usage per Container is 1, but limit is 2',
    ]);
    const large = [{ name: 'a', image: 'x', resources: { limits: { memory: '2Gi' } } }];
    expect((await refusal(createPod('limited', 'large', { containers: large }))).message).toBe(
      'pods "large" is forbidden: maximum memory usage per Pod is 1Gi, but limit is 2Gi',
    );
  });

  it('say how large a claim may be', async () => {
    const limits = [{ type: 'PersistentVolumeClaim', max: { storage: '2Gi' } }];
    await core.create('v1/limitranges', 'limited', { metadata: { name: 'storage' }, spec: { limits } });
    await settled();
    const claim = (storage: string) =>
      core.create('v1/persistentvolumeclaims', 'limited', {
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
      });
    expect((await refusal(claim('3Gi'))).message).toBe(
      'persistentvolumeclaims "data" is forbidden: maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi',
    );
    await claim('1Gi');
  });

  it('do not concern other namespaces', async () => {
    expect((await createPod('free', 'free')).spec.containers[0]!.resources).toEqual({});
  });
});

describe('a runtime class', () => {
  beforeAll(async () => {
    await core.create('node.k8s.io/v1/runtimeclasses', '', {
      metadata: { name: 'sandboxed' },
      handler: 'runsc',
      overhead: { podFixed: { cpu: '250m' } },
      scheduling: { nodeSelector: { sandbox: 'yes' }, tolerations: [{ key: 'sandbox', operator: 'Exists' }] },
    });
  });

  it('tells its pods where to go, and what it costs', async () => {
    const { spec } = await createPod('free', 'sandboxed', { runtimeClassName: 'sandboxed', nodeSelector: { a: 'b' } });
    expect(spec).toMatchObject({ overhead: { cpu: '250m' }, nodeSelector: { a: 'b', sandbox: 'yes' } });
    expect(spec.tolerations?.map(({ key }) => key)).toEqual([
      'node.kubernetes.io/not-ready',
      'node.kubernetes.io/unreachable',
      'sandbox',
    ]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['must be there', { runtimeClassName: 'none' }, 'pod rejected: RuntimeClass "none" not found'],
    [
      'is where its nodes are',
      { runtimeClassName: 'sandboxed', nodeSelector: { sandbox: 'no' } },
      'conflict: runtimeClass.scheduling.nodeSelector[sandbox] = yes; pod.spec.nodeSelector[sandbox] = no',
    ],
    [
      'says what it costs',
      { runtimeClassName: 'sandboxed', overhead: { cpu: '1' } },
      "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
    ],
    [
      'is what costs',
      { overhead: { cpu: '1' } },
      'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
    ],
  ])('%s', async (_what, more, why) => {
    expect((await refusal(createPod('free', 'p', more))).message).toBe(`pods "p" is forbidden: ${why}`);
  });
});

describe('the topology of a node', () => {
  const ZONE = 'topology.kubernetes.io/zone';
  const REGION = 'topology.kubernetes.io/region';
  const labelsOf = async (name: string) => (await core.get('v1/pods', 'free', name)).metadata.labels;

  it('is told to its pods, whoever gives them to it', async () => {
    const labels = { [ZONE]: 'z1', [REGION]: 'r1', other: 'untold' };
    await core.create('v1/nodes', '', { metadata: { name: 'placed', labels } });
    await core.create('v1/nodes', '', { metadata: { name: 'nowhere' } });
    await settled();
    for (const [pod, name] of [
      ['in-zone', 'placed'],
      ['in-none', 'nowhere'],
      ['unknown', 'gone'],
    ] as const) {
      await createPod('free', pod);
      const binding = { target: { kind: 'Node', name } };
      await core.operations.create(core.as(admin), at('v1/pods', 'free', pod, 'binding'), body(binding));
    }
    await createPod('free', 'made-there', { nodeName: 'placed' });
    expect(await labelsOf('in-zone')).toEqual({ [ZONE]: 'z1', [REGION]: 'r1' });
    expect(await labelsOf('made-there')).toEqual({ [ZONE]: 'z1', [REGION]: 'r1' });
    expect(await labelsOf('in-none')).toBeUndefined();
    expect(await labelsOf('unknown')).toBeUndefined();
  });

  it('is told to a pod that is bound at the address of old', async () => {
    await createPod('free', 'old-way');
    const bind = (metadata: object) => core.create('v1/bindings', 'free', { metadata, target: { name: 'placed' } });
    expect((await bind({ name: 'old-way' })).object).toMatchObject({ kind: 'Status', status: 'Success' });
    expect(await core.get('v1/pods', 'free', 'old-way')).toMatchObject({
      metadata: { labels: { [ZONE]: 'z1' } },
      spec: { nodeName: 'placed' },
    });
    expect((await refusal(bind({ name: 'old-way' }))).message).toMatch(/ is already assigned to node "placed"$/);
    expect((await refusal(bind({}))).message).toBe('Name parameter required.');
    expect((await refusal(bind({ name: 'none' }))).message).toBe('pods "none" not found');
  });

  it('is not told to a pod that was made to say something else', async () => {
    const pod = {
      ...podOf('elsewhere', { nodeName: 'placed' }),
      metadata: { name: 'elsewhere', labels: { [ZONE]: 'z2' } },
    };
    await core.create('v1/pods', 'free', pod);
    expect(await labelsOf('elsewhere')).toEqual({ [ZONE]: 'z2', [REGION]: 'r1' });
  });
});

describe('the class of an ingress', () => {
  const CLASSES = 'networking.k8s.io/v1/ingressclasses';
  const annotations = { 'ingressclass.kubernetes.io/is-default-class': 'true' };
  const create = async (name: string, more: object = {}, spec: object = {}) => {
    const defaultBackend = { service: { name: 'web', port: { number: 80 } } };
    const object = { metadata: { name, ...more }, spec: { defaultBackend, ...spec } };
    return (await core.create('networking.k8s.io/v1/ingresses', 'free', object)).object as Ingress;
  };

  it('is the default one, unless it says otherwise', async () => {
    expect((await create('none')).spec.ingressClassName).toBeUndefined();
    await core.create(CLASSES, '', { metadata: { name: 'public', annotations }, spec: { controller: 'a.b/c' } });
    await settled();
    expect((await create('default')).spec.ingressClassName).toBe('public');
    expect((await create('own', {}, { ingressClassName: 'own' })).spec.ingressClassName).toBe('own');
    const old = { annotations: { 'kubernetes.io/ingress.class': 'old' } };
    expect((await create('old', old)).spec.ingressClassName).toBeUndefined();
  });
});

describe('the class of a claim', () => {
  const CLASSES = 'storage.k8s.io/v1/storageclasses';
  const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' };
  const classOfNew = async (name: string, more: object = {}): Promise<string | undefined> => {
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...more };
    const { object } = await core.create('v1/persistentvolumeclaims', 'free', { metadata: { name }, spec });
    return (object as PersistentVolumeClaim).spec.storageClassName;
  };

  it('is the default one, unless it says otherwise', async () => {
    expect(await classOfNew('usual')).toBe('standard');
    const usual = await core.get(CLASSES, '', 'standard');
    await core.operations.delete(core.as(admin), at(CLASSES, '', 'standard'), {});
    await settled();
    expect(await classOfNew('none')).toBeUndefined();
    await core.create(CLASSES, '', { ...usual, metadata: { name: 'standard', annotations } });
    await core.create(CLASSES, '', { metadata: { name: 'fast', annotations }, provisioner: 'a.b/c' });
    await settled();
    expect([await classOfNew('default'), await classOfNew('own', { storageClassName: '' })]).toEqual(['fast', '']);
  });
});

describe('the security of pods', () => {
  const label = (mode: string): string => `pod-security.kubernetes.io/${mode}`;
  const hostile = { hostNetwork: true };
  const warningsOf = async (work: (context: RequestContext) => Promise<unknown>): Promise<string[]> => {
    const context = core.as(admin);
    await work(context);
    return context.warnings;
  };
  const setLabels = (name: string, labels: object) =>
    warningsOf((context) =>
      core.operations.patch(context, at('v1/namespaces', '', name), {
        mediaType: 'application/merge-patch+json',
        body: body({ metadata: { labels } }),
      }),
    );
  beforeAll(async () => {
    await core.create('v1/namespaces', '', { metadata: { name: 'secure' } });
    await core.create('v1/serviceaccounts', 'secure', serviceAccountOf('default'));
    await createPod('secure', 'before', hostile);
    await createPod('secure', 'before-too', hostile);
    await settled();
  });

  it('is asked for by labels, which warn of what is there', async () => {
    expect(await setLabels('secure', { [label('enforce')]: 'baseline', [label('warn')]: 'restricted' })).toEqual([
      'existing pods in namespace "secure" violate the new PodSecurity enforce level "baseline:latest"',
      'before (and 1 other pod): host namespaces',
    ]);
    const error = await refusal(setLabels('secure', { [label('enforce')]: 'none' }));
    expect([error.code, error.message]).toEqual([
      422,
      'Namespace "secure" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "none": must be one of privileged, baseline, restricted',
    ]);
  });

  it('is enforced on pods', async () => {
    await settled();
    expect((await refusal(createPod('secure', 'p', hostile))).message).toBe(
      'pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
    );
  });

  it('is a warning for pods, and for those who make pods', async () => {
    const detail =
      'allowPrivilegeEscalation != false (container "main" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "main" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "main" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "main" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")';
    const warning = `would violate PodSecurity "restricted:latest": ${detail}`;
    const pods = await warningsOf((context) =>
      core.operations.create(context, at('v1/pods', 'secure'), body(podOf('fine'))),
    );
    const labels = { app: 'x' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'x' }], hostNetwork: true } };
    const deployment = { metadata: { name: 'd' }, spec: { selector: { matchLabels: labels }, template } };
    const deployments = await warningsOf((context) =>
      core.operations.create(context, at('apps/v1/deployments', 'secure'), body(deployment)),
    );
    expect(pods).toEqual([warning]);
    expect(deployments).toEqual([warning.replace(detail, `host namespaces (hostNetwork=true), ${detail}`)]);
  });

  it('warns of what will be refused, for those who make pods where nothing else is said', async () => {
    await core.create('v1/namespaces', '', {
      metadata: { name: 'strict', labels: { [label('enforce')]: 'baseline' } },
    });
    await settled();
    const labels = { app: 'x' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'x' }], ...hostile } };
    const deployment = { metadata: { name: 'd' }, spec: { selector: { matchLabels: labels }, template } };
    const target = at('apps/v1/deployments', 'strict');
    expect(await warningsOf((context) => core.operations.create(context, target, body(deployment)))).toEqual([
      'would violate PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
    ]);
  });

  it('leaves alone what an update does not touch', async () => {
    const change = warningsOf((context) =>
      core.operations.patch(context, at('v1/pods', 'secure', 'before'), {
        mediaType: 'application/merge-patch+json',
        body: body({ metadata: { labels: { a: 'b' } } }),
      }),
    );
    expect(await change).toEqual([]);
  });
});

describe('a claim that grows', () => {
  const CLAIMS = 'v1/persistentvolumeclaims';
  const grow = (name: string) =>
    core.operations.patch(core.as(admin), at(CLAIMS, 'free', name), {
      mediaType: 'application/merge-patch+json',
      body: body({ spec: { resources: { requests: { storage: '2Gi' } } } }),
    });
  const setPhase = (name: string, phase: string) =>
    core.operations.patch(core.as(admin), at(CLAIMS, 'free', name, 'status'), {
      mediaType: 'application/merge-patch+json',
      body: body({ status: { phase } }),
    });
  const claim = async (name: string, storageClassName: string) => {
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, storageClassName };
    await core.create(CLAIMS, 'free', { metadata: { name }, spec });
    await setPhase(name, 'Bound');
  };

  it('is bound, and of a class that lets it', async () => {
    const of = (name: string, allowVolumeExpansion: boolean) => ({
      metadata: { name },
      provisioner: 'a.b/c',
      allowVolumeExpansion,
    });
    await core.create('storage.k8s.io/v1/storageclasses', '', of('elastic', true));
    await core.create('storage.k8s.io/v1/storageclasses', '', of('rigid', false));
    await claim('grows', 'elastic');
    await claim('stays', 'rigid');
    expect((await refusal(grow('stays'))).message).toBe(
      'persistentvolumeclaims "stays" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    );
    await setPhase('grows', 'Pending');
    expect((await refusal(grow('grows'))).code).toBeGreaterThanOrEqual(403);
    await setPhase('grows', 'Bound');
    await grow('grows');
  });
});

describe('volumes and claims', () => {
  it('are held until nobody uses them', async () => {
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    const claim = await core.create('v1/persistentvolumeclaims', 'free', { metadata: { name: 'held' }, spec });
    expect(claim.object.metadata.finalizers).toEqual(['kubernetes.io/pvc-protection']);
    await remove('v1/persistentvolumeclaims', 'held', 'free');
    expect((await core.get('v1/persistentvolumeclaims', 'free', 'held')).metadata.deletionTimestamp).toBeDefined();
    const volume = await core.create('v1/persistentvolumes', '', {
      metadata: { name: 'held', finalizers: ['kubernetes.io/pv-protection'] },
      spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/tmp' } },
    });
    expect(volume.object.metadata.finalizers).toEqual(['kubernetes.io/pv-protection']);
    const attributes = await core.create('storage.k8s.io/v1/volumeattributesclasses', '', {
      ...{ metadata: { name: 'held' }, driverName: 'example.com', parameters: { iops: '1' } },
    });
    expect(attributes.object.metadata.finalizers).toEqual(['kubernetes.io/vac-protection']);
  });
});
