import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestServer } from './test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());

const ok = (args: string, input?: string) => server.kubectlOk(args, input);

/** What the command complains of; it must fail. */
async function refused(args: string, input?: string): Promise<string> {
  const { code, stderr } = await server.kubectl(args, input);
  expect({ args, code }).toEqual({ args, code: 1 });
  return stderr;
}

const meta = (name: string) => ({ metadata: { name } });
const template = {
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'main', image: 'web:1' }] },
};
const selector = { matchLabels: { app: 'web' } };
const ending = { spec: { ...template.spec, restartPolicy: 'Never' } };
const claimSpec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };

const NOT_IN_ALL = [
  'controllerrevision.apps',
  'podtemplate',
  'persistentvolumeclaim',
  'persistentvolume',
  'endpoints',
  'poddisruptionbudget.policy',
];

interface Case {
  resource: string;
  /** Of the collection. */
  path: string;
  object: { apiVersion: string; kind: string; metadata: { name: string }; [member: string]: unknown };
  /** What kubectl says of an apply that changes nothing; it always sends what is replaced as a whole. */
  applied?: 'configured';
  /** As `kubectl get` heads it, with one blank between names. */
  head: string;
  patch: object;
  /** What is there after the patch. */
  after: object;
}

const cases: Case[] = [
  {
    resource: 'horizontalpodautoscaler.autoscaling',
    path: '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers',
    object: {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      ...meta('web'),
      spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas: 3 },
    },
    head: 'NAME REFERENCE TARGETS MINPODS MAXPODS REPLICAS AGE',
    patch: { spec: { minReplicas: 2 } },
    after: { spec: { minReplicas: 2, metrics: [{ type: 'Resource' }] } },
  },
  {
    resource: 'poddisruptionbudget.policy',
    path: '/apis/policy/v1/namespaces/default/poddisruptionbudgets',
    object: {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      ...meta('web'),
      spec: { minAvailable: 1, selector },
    },
    applied: 'configured',
    head: 'NAME MIN AVAILABLE MAX UNAVAILABLE ALLOWED DISRUPTIONS AGE',
    patch: { spec: { minAvailable: '50%' } },
    after: { metadata: { generation: 2 }, spec: { minAvailable: '50%' }, status: { disruptionsAllowed: 0 } },
  },
  {
    resource: 'replicationcontroller',
    path: '/api/v1/namespaces/default/replicationcontrollers',
    object: { apiVersion: 'v1', kind: 'ReplicationController', ...meta('old'), spec: { template } },
    head: 'NAME DESIRED CURRENT READY AGE',
    patch: { spec: { replicas: 2 } },
    after: { metadata: { generation: 2 }, spec: { replicas: 2, selector: { app: 'web' } } },
  },
  {
    resource: 'podtemplate',
    path: '/api/v1/namespaces/default/podtemplates',
    object: { apiVersion: 'v1', kind: 'PodTemplate', ...meta('mould'), template },
    head: 'NAME CONTAINERS IMAGES POD LABELS',
    patch: { template: { metadata: { labels: { app: 'api' } } } },
    after: { metadata: { generation: 2 }, template: { metadata: { labels: { app: 'api' } } } },
  },
  {
    resource: 'persistentvolumeclaim',
    path: '/api/v1/namespaces/default/persistentvolumeclaims',
    object: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...meta('data'), spec: claimSpec },
    head: 'NAME STATUS VOLUME CAPACITY ACCESS MODES STORAGECLASS VOLUMEATTRIBUTESCLASS AGE',
    patch: { spec: { volumeName: 'disk' } },
    after: { spec: { volumeName: 'disk', volumeMode: 'Filesystem' }, status: { phase: 'Pending' } },
  },
  {
    resource: 'persistentvolume',
    path: '/api/v1/persistentvolumes',
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      ...meta('disk'),
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/data' } },
    },
    head: 'NAME CAPACITY ACCESS MODES RECLAIM POLICY STATUS CLAIM STORAGECLASS VOLUMEATTRIBUTESCLASS REASON AGE',
    patch: { spec: { persistentVolumeReclaimPolicy: 'Delete' } },
    after: { spec: { persistentVolumeReclaimPolicy: 'Delete' }, status: { phase: 'Pending' } },
  },
  {
    resource: 'endpoints',
    path: '/api/v1/namespaces/default/endpoints',
    object: {
      apiVersion: 'v1',
      kind: 'Endpoints',
      ...meta('elsewhere'),
      subsets: [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 80, protocol: 'TCP' }] }],
    },
    head: 'NAME ENDPOINTS AGE',
    patch: { subsets: [{ addresses: [{ ip: '192.0.2.2' }], ports: [{ port: 80 }] }] },
    after: { subsets: [{ addresses: [{ ip: '192.0.2.2' }], ports: [{ port: 80, protocol: 'TCP' }] }] },
  },
  {
    resource: 'statefulset.apps',
    path: '/apis/apps/v1/namespaces/default/statefulsets',
    object: {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      ...meta('db'),
      spec: { serviceName: 'db', selector, template },
    },
    head: 'NAME READY AGE',
    patch: { spec: { replicas: 3 } },
    after: { metadata: { generation: 2 }, spec: { replicas: 3, podManagementPolicy: 'OrderedReady' } },
  },
  {
    resource: 'daemonset.apps',
    path: '/apis/apps/v1/namespaces/default/daemonsets',
    object: { apiVersion: 'apps/v1', kind: 'DaemonSet', ...meta('logs'), spec: { selector, template } },
    head: 'NAME DESIRED CURRENT READY UP-TO-DATE AVAILABLE NODE SELECTOR AGE',
    patch: { spec: { template: { spec: { nodeSelector: { disk: 'ssd' } } } } },
    after: { metadata: { generation: 2, annotations: { 'deprecated.daemonset.template.generation': '2' } } },
  },
  {
    resource: 'controllerrevision.apps',
    path: '/apis/apps/v1/namespaces/default/controllerrevisions',
    object: { apiVersion: 'apps/v1', kind: 'ControllerRevision', ...meta('db-1'), data: { spec: {} }, revision: 1 },
    head: 'NAME CONTROLLER REVISION AGE',
    patch: { revision: 2 },
    after: { revision: 2, data: { spec: {} } },
  },
  {
    resource: 'job.batch',
    path: '/apis/batch/v1/namespaces/default/jobs',
    object: { apiVersion: 'batch/v1', kind: 'Job', ...meta('sums'), spec: { template: ending } },
    head: 'NAME STATUS COMPLETIONS DURATION AGE',
    patch: { spec: { suspend: true } },
    after: { metadata: { generation: 2 }, spec: { suspend: true, completions: 1, backoffLimit: 6 } },
  },
  {
    resource: 'cronjob.batch',
    path: '/apis/batch/v1/namespaces/default/cronjobs',
    object: {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      ...meta('nightly'),
      spec: { schedule: '@daily', jobTemplate: { spec: { template: ending } } },
    },
    head: 'NAME SCHEDULE TIMEZONE SUSPEND ACTIVE LAST SCHEDULE AGE',
    patch: { spec: { schedule: '@weekly' } },
    after: { spec: { schedule: '@weekly', concurrencyPolicy: 'Allow' } },
  },
];

describe.each(cases)(
  'kubectl handles a $resource',
  ({ resource, path, object, applied = 'unchanged', head, patch, after }) => {
    const { name } = object.metadata;

    it('creates it, applies it, shows it and describes it', async () => {
      const json = JSON.stringify(object);
      expect(await ok('create --save-config -f -', json)).toBe(`${resource}/${name} created\n`);
      expect(await ok('apply -f -', json)).toBe(`${resource}/${name} ${applied}\n`);
      expect(await ok('diff -f -', json)).toBe('');
      const table = await ok(`get ${resource} ${name}`);
      expect(table.split('\n')[0]?.trim().replace(/ {2,}/g, ' ')).toBe(head);
      expect(await ok(`describe ${resource} ${name}`)).toContain(name);
    });

    it('patches it', async () => {
      expect(await ok(`patch ${resource} ${name} --type=merge -p ${JSON.stringify(patch)}`)).toBe(
        `${resource}/${name} patched\n`,
      );
      expect(JSON.parse(await ok(`get ${resource} ${name} -o json`))).toMatchObject(after);
    });

    it('takes back what it gave, and nothing changes', async () => {
      const { json } = await server.ask('GET', `${path}/${name}`);
      expect((await server.ask('PUT', `${path}/${name}`, { body: json })).json).toEqual(json);
    });
  },
);

describe('what workloads refuse, and how they scale', () => {
  it('a stateful set keeps its claims', async () => {
    const set = cases.find(({ resource }) => resource === 'statefulset.apps')!.object;
    const claims = { volumeClaimTemplates: [{ ...meta('data'), spec: claimSpec }] };
    const object = { ...set, ...meta('claims'), spec: { ...(set.spec as object), ...claims } };
    await ok('create --save-config -f -', JSON.stringify(object));
    // kubectl prints "configured" whenever the server fills in what is in a list that it replaces whole.
    expect(await ok('apply -f -', JSON.stringify(object))).toContain('statefulset.apps/claims configured');
    expect(await ok('get sts claims -o jsonpath={.metadata.generation}')).toBe('1');
    expect(await refused(`patch sts db --type=merge -p ${JSON.stringify({ spec: { serviceName: 'x' } })}`)).toBe(
      `The StatefulSet "db" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden\n`,
    );
  });

  it('a job keeps its template and a cron job its five fields', async () => {
    const image = { spec: { template: { spec: { containers: [{ name: 'main', image: 'web:2' }] } } } };
    await ok(`patch job sums --type=merge -p {"spec":{"suspend":false}}`);
    expect(await refused(`patch job sums --type=strategic -p ${JSON.stringify(image)}`)).toContain(
      'field is immutable',
    );
    expect(await refused(`patch cj nightly --type=merge -p {"spec":{"schedule":"daily"}}`)).toBe(
      'The CronJob "nightly" is invalid: spec.schedule: Invalid value: "daily": expected exactly 5 fields, found 1: [daily]\n',
    );
  });

  it('a stateful set scales', async () => {
    expect(await ok('scale sts/db --replicas=4')).toBe('statefulset.apps/db scaled\n');
    expect(await ok('get sts db -o jsonpath={.spec.replicas}')).toBe('4');
    const scale = await server.ask('GET', '/apis/apps/v1/namespaces/default/statefulsets/db/scale');
    expect(scale.json).toMatchObject({ spec: { replicas: 4 }, status: { replicas: 0, selector: 'app=web' } });
  });

  it('a replication controller scales, and tells its selector', async () => {
    expect(await ok('scale rc/old --replicas=4')).toBe('replicationcontroller/old scaled\n');
    const scale = await server.ask('GET', '/api/v1/namespaces/default/replicationcontrollers/old/scale');
    expect(scale.json).toMatchObject({ spec: { replicas: 4 }, status: { replicas: 0, selector: 'app=web' } });
  });

  it('a deletion of a job that does not say so leaves its pods, and warns', async () => {
    await ok('create job left --image=work:1');
    const answer = await server.ask('DELETE', '/apis/batch/v1/namespaces/default/jobs/left');
    expect(answer.json.metadata.finalizers).toEqual(['orphan']);
    expect(answer.headers.warning).toContain('child pods are preserved by default when jobs are deleted');
  });

  it('kubectl makes jobs, also from cron jobs', async () => {
    expect(await ok('create job once --image=work:1 -- true')).toBe('job.batch/once created\n');
    expect(await ok('create job now --from=cronjob/nightly')).toBe('job.batch/now created\n');
    expect(await ok('create cronjob often --image=work:1 --schedule=@hourly')).toBe('cronjob.batch/often created\n');
    const { metadata, spec } = JSON.parse(await ok('get job once -o json'));
    expect(spec.selector.matchLabels).toEqual({ 'batch.kubernetes.io/controller-uid': metadata.uid });
    expect(spec.template.metadata.labels).toMatchObject({ 'job-name': 'once', 'controller-uid': metadata.uid });
    expect(metadata.labels).toEqual(spec.template.metadata.labels);
  });

  it('an autoscaler is one in both its versions', async () => {
    const path = (version: string) => `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers/web`;
    const old = (await server.ask('GET', path('v1'))).json;
    expect(old).toMatchObject({ apiVersion: 'autoscaling/v1', spec: { targetCPUUtilizationPercentage: 80 } });
    old.spec.targetCPUUtilizationPercentage = 60;
    expect((await server.ask('PUT', path('v1'), { body: old })).code).toBe(200);
    const { json } = await server.ask('GET', path('v2'));
    expect(json.spec.metrics[0].resource.target.averageUtilization).toBe(60);
    expect(json.metadata.uid).toBe(old.metadata.uid);
    await ok('create deployment scaled --image=web:1');
    expect(await ok('autoscale deployment scaled --max=4 --cpu=70%')).toContain('autoscaled');
    expect(await ok('get hpa scaled --no-headers')).toMatch(
      /^scaled +Deployment\/scaled +cpu: <unknown>\/70% +\S+ +4 +0/,
    );
  });

  it('a budget is not changed by who has not seen it', async () => {
    expect(await ok('create pdb least --selector=app=web --min-available=1')).toContain('created');
    const path = '/apis/policy/v1/namespaces/default/poddisruptionbudgets/least';
    const { json } = await server.ask('GET', path);
    delete json.metadata.resourceVersion;
    const refusal = await server.ask('PUT', path, { body: json });
    expect(refusal.json.message).toContain('metadata.resourceVersion: Invalid value');
  });

  it('endpoints warn of what replaces them, whatever is asked of them', async () => {
    const warning = 'Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\n';
    for (const args of ['get endpoints', 'get endpoints elsewhere', 'label endpoints elsewhere a=b']) {
      expect((await server.kubectl(args)).stderr).toBe(warning);
    }
    expect((await server.kubectl('get endpointslices')).stderr).not.toContain('Warning');
  });

  it('a drain asks the budget of each pod', async () => {
    const node = { apiVersion: 'v1', kind: 'Node', ...meta('old-node') };
    await ok('create -f -', JSON.stringify(node));
    const labels = { drained: 'yes' };
    const spec = { nodeName: 'old-node', containers: [{ name: 'main', image: 'web:1' }] };
    await ok(
      'create -f -',
      JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'last', labels }, spec }),
    );
    const status = { status: { phase: 'Running' } };
    await ok(`patch pod last --subresource=status --type=merge -p ${JSON.stringify(status)}`);
    await ok('create pdb none --selector=drained=yes --max-unavailable=0');
    const seen = { status: { observedGeneration: 1, desiredHealthy: 1, currentHealthy: 0 } };
    await ok(`patch pdb none --subresource=status --type=merge -p ${JSON.stringify(seen)}`);
    const drain = 'drain old-node --force --grace-period=0';
    expect(await refused(`${drain} --timeout=2s`)).toContain(
      "Cannot evict pod as it would violate the pod's disruption budget.",
    );
    await ok('delete pdb none');
    expect(await ok(drain)).toContain('pod/last evicted');
    expect((await server.kubectl('get pod last')).stderr).toContain('NotFound');
  });

  it('jobs are found by their successes', async () => {
    const status = { status: { succeeded: 1, startTime: '2026-11-21T10:00:00Z' } };
    expect(await ok(`patch job now --subresource=status --type=merge -p ${JSON.stringify(status)}`)).toContain('now');
    expect(await ok('get jobs --field-selector=status.successful=1 -o name')).toBe('job.batch/now\n');
  });

  it('all of them are in "all"', async () => {
    const all = await ok('get all -o name');
    for (const { resource, object } of cases) {
      const line = `${resource}/${object.metadata.name}\n`;
      if (NOT_IN_ALL.includes(resource)) expect(all).not.toContain(line);
      else expect(all).toContain(line);
    }
  });

  const letGo = (resource: string, name: string) =>
    ok(`patch ${resource} ${name} --type=merge -p {"metadata":{"finalizers":null}}`);

  it('are deleted with all that is left of them', async () => {
    for (const { resource, object } of cases) {
      const { name } = object.metadata;
      // Controllers would let go of what nobody uses; there are none here.
      if (resource.startsWith('persistentvolume')) await letGo(resource, name);
      expect(await ok(`delete ${resource} ${name}`)).toMatch(new RegExp(`${name}.* deleted`));
    }
  });
});
