import { type KubeObject, parseApiVersion } from '@periplus/apimachinery';
import { describe, expect, it } from 'vitest';
import { builtinKinds } from './builtin.ts';
import { definitions } from './definitions.ts';
import { table as tableOf } from './testing/table.ts';

const kinds = builtinKinds();

/** What kubectl prints of an object of that kind. */
function table(apiVersion: string, kindName: string, object: object): string[] {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const kind = kinds.byKind(group ?? '', version ?? '', kindName)!;
  const metadata = { name: 'x', ...(object as Partial<KubeObject>).metadata };
  return tableOf(kind, { apiVersion, kind: kindName, ...structuredClone(object), metadata });
}

const template = {
  metadata: { labels: { app: 'web' } },
  spec: {
    containers: [
      { name: 'a', image: 'x:1' },
      { name: 'b', image: 'y' },
    ],
  },
};
const selector = {
  matchLabels: { app: 'web' },
  matchExpressions: [{ key: 'tier', operator: 'In', values: ['b', 'a'] }],
};

describe('kubectl get prints', () => {
  it.each<[string, string, string, object, string, string]>([
    ['namespaces', 'v1', 'Namespace', {}, 'NAME  STATUS  AGE', 'x  Active  60m'],
    [
      'nodes',
      'v1',
      'Node',
      {
        metadata: { labels: { 'node-role.kubernetes.io/worker': '', 'node-role.kubernetes.io/control-plane': '' } },
        spec: { unschedulable: true },
        status: {
          conditions: [{ type: 'Ready', status: 'True' }],
          addresses: [
            { type: 'Hostname', address: 'x' },
            { type: 'InternalIP', address: '10.1.0.1' },
          ],
          nodeInfo: {
            kubeletVersion: 'v1.36.0',
            osImage: 'Debian 12',
            kernelVersion: '6.1',
            containerRuntimeVersion: 'containerd://1.6',
          },
        },
      },
      'NAME  STATUS  ROLES  AGE  VERSION | INTERNAL-IP  EXTERNAL-IP  OS-IMAGE  KERNEL-VERSION  CONTAINER-RUNTIME',
      'x  Ready,SchedulingDisabled  control-plane,worker  60m  v1.36.0 | 10.1.0.1  <none>  Debian 12  6.1  containerd://1.6',
    ],
    [
      'nodes that nothing is known of',
      'v1',
      'Node',
      {},
      'NAME  STATUS  ROLES  AGE  VERSION | INTERNAL-IP  EXTERNAL-IP  OS-IMAGE  KERNEL-VERSION  CONTAINER-RUNTIME',
      'x  Unknown  <none>  60m   | <none>  <none>  <unknown>  <unknown>  <unknown>',
    ],
    [
      'services',
      'v1',
      'Service',
      {
        spec: {
          clusterIP: '10.96.0.9',
          selector: { b: '2', a: '1' },
          ports: [{ port: 80 }, { port: 53, protocol: 'UDP' }],
        },
      },
      'NAME  TYPE  CLUSTER-IP  EXTERNAL-IP  PORT(S)  AGE | SELECTOR',
      'x  ClusterIP  10.96.0.9  <none>  80/TCP,53/UDP  60m | a=1,b=2',
    ],
    [
      'services with node ports that wait for a balancer',
      'v1',
      'Service',
      { spec: { type: 'LoadBalancer', clusterIP: '10.96.0.9', ports: [{ port: 80, nodePort: 30080 }] } },
      'NAME  TYPE  CLUSTER-IP  EXTERNAL-IP  PORT(S)  AGE | SELECTOR',
      'x  LoadBalancer  10.96.0.9  <pending>  80:30080/TCP  60m | <none>',
    ],
    [
      'services with a balancer',
      'v1',
      'Service',
      {
        spec: { type: 'LoadBalancer', clusterIP: '10.96.0.9', externalIPs: ['192.0.2.9'], ports: [{ port: 80 }] },
        status: { loadBalancer: { ingress: [{ hostname: 'lb.example.com' }, { ip: '192.0.2.1' }] } },
      },
      'NAME  TYPE  CLUSTER-IP  EXTERNAL-IP  PORT(S)  AGE | SELECTOR',
      'x  LoadBalancer  10.96.0.9  192.0.2.1,lb.example.com,192.0.2.9  80/TCP  60m | <none>',
    ],
    [
      'headless services',
      'v1',
      'Service',
      { spec: { clusterIP: 'None' } },
      'NAME  TYPE  CLUSTER-IP  EXTERNAL-IP  PORT(S)  AGE | SELECTOR',
      'x  ClusterIP  None  <none>  <none>  60m | <none>',
    ],
    [
      'names of services elsewhere',
      'v1',
      'Service',
      { spec: { type: 'ExternalName', externalName: 'db.example.com' } },
      'NAME  TYPE  CLUSTER-IP  EXTERNAL-IP  PORT(S)  AGE | SELECTOR',
      'x  ExternalName  <none>  db.example.com  <none>  60m | <none>',
    ],
    ['config maps', 'v1', 'ConfigMap', { data: { a: '' }, binaryData: { b: '' } }, 'NAME  DATA  AGE', 'x  2  60m'],
    ['secrets', 'v1', 'Secret', { stringData: { a: 'b' } }, 'NAME  TYPE  DATA  AGE', 'x  Opaque  1  60m'],
    ['service accounts', 'v1', 'ServiceAccount', { secrets: [{ name: 's' }] }, 'NAME  AGE', 'x  60m'],
    [
      'events',
      'v1',
      'Event',
      {
        involvedObject: { kind: 'Pod', name: 'web', fieldPath: 'spec.containers{main}' },
        type: 'Warning',
        reason: 'BackOff',
        message: 'Back-off restarting\n',
        source: { component: 'kubelet', host: 'n1' },
        firstTimestamp: '2026-11-21T11:30:00Z',
        lastTimestamp: '2026-11-21T11:58:30Z',
        count: 7,
      },
      'LAST SEEN  TYPE  REASON  OBJECT  MESSAGE | SUBOBJECT  SOURCE  FIRST SEEN  COUNT  NAME',
      '90s  Warning  BackOff  pod/web  Back-off restarting | spec.containers{main}  kubelet, n1  30m  7  x',
    ],
    [
      'events of the newer sort',
      'events.k8s.io/v1',
      'Event',
      {
        regarding: { kind: 'Node', name: 'n1' },
        eventTime: '2026-11-21T11:59:00.000000Z',
        type: 'Normal',
        reason: 'Ready',
        note: 'It is ready',
        reportingController: 'example.com/agent',
        reportingInstance: 'agent-1',
        series: { count: 3, lastObservedTime: '2026-11-21T11:59:30.000000Z' },
      },
      'LAST SEEN  TYPE  REASON  OBJECT  MESSAGE | SUBOBJECT  SOURCE  FIRST SEEN  COUNT  NAME',
      '30s  Normal  Ready  node/n1  It is ready |   example.com/agent, agent-1  60s  3  x',
    ],
    [
      'leases',
      'coordination.k8s.io/v1',
      'Lease',
      { spec: { holderIdentity: 'me' } },
      'NAME  HOLDER  AGE',
      'x  me  60m',
    ],
    [
      'endpoint slices',
      'discovery.k8s.io/v1',
      'EndpointSlice',
      {
        addressType: 'IPv4',
        ports: [{ name: 'http', port: 80 }, { port: 81 }],
        endpoints: [{ addresses: ['10.0.0.1', '10.0.0.2'] }, { addresses: ['10.0.0.3'] }, { addresses: ['10.0.0.4'] }],
      },
      'NAME  ADDRESSTYPE  PORTS  ENDPOINTS  AGE',
      'x  IPv4  80,81  10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...  60m',
    ],
    [
      'empty endpoint slices',
      'discovery.k8s.io/v1',
      'EndpointSlice',
      { addressType: 'IPv6', endpoints: [] },
      'NAME  ADDRESSTYPE  PORTS  ENDPOINTS  AGE',
      'x  IPv6  <unset>  <unset>  60m',
    ],
    [
      'deployments',
      'apps/v1',
      'Deployment',
      {
        spec: { replicas: 3, selector, template },
        status: { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1 },
      },
      'NAME  READY  UP-TO-DATE  AVAILABLE  AGE | CONTAINERS  IMAGES  SELECTOR',
      'x  2/3  3  1  60m | a,b  x:1,y  app=web,tier in (a,b)',
    ],
    [
      'replica sets',
      'apps/v1',
      'ReplicaSet',
      { spec: { replicas: 3, selector, template }, status: { replicas: 2, readyReplicas: 1 } },
      'NAME  DESIRED  CURRENT  READY  AGE | CONTAINERS  IMAGES  SELECTOR',
      'x  3  2  1  60m | a,b  x:1,y  app=web,tier in (a,b)',
    ],
    [
      'stateful sets',
      'apps/v1',
      'StatefulSet',
      { spec: { replicas: 3, selector, template }, status: { replicas: 2, readyReplicas: 1 } },
      'NAME  READY  AGE | CONTAINERS  IMAGES',
      'x  1/3  60m | a,b  x:1,y',
    ],
    [
      'daemon sets',
      'apps/v1',
      'DaemonSet',
      {
        spec: { selector, template: { ...template, spec: { ...template.spec, nodeSelector: { disk: 'ssd' } } } },
        status: {
          desiredNumberScheduled: 5,
          currentNumberScheduled: 4,
          numberReady: 3,
          updatedNumberScheduled: 2,
          numberAvailable: 1,
        },
      },
      'NAME  DESIRED  CURRENT  READY  UP-TO-DATE  AVAILABLE  NODE SELECTOR  AGE | CONTAINERS  IMAGES  SELECTOR',
      'x  5  4  3  2  1  disk=ssd  60m | a,b  x:1,y  app=web,tier in (a,b)',
    ],
    [
      'controller revisions',
      'apps/v1',
      'ControllerRevision',
      {
        metadata: {
          ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'u', controller: true }],
        },
        revision: 3,
      },
      'NAME  CONTROLLER  REVISION  AGE',
      'x  statefulset.apps/web  3  60m',
    ],
    [
      'jobs',
      'batch/v1',
      'Job',
      {
        metadata: { uid: 'u' },
        spec: { completions: 3, template },
        status: { startTime: '2026-11-21T11:58:00Z', succeeded: 1 },
      },
      'NAME  STATUS  COMPLETIONS  DURATION  AGE | CONTAINERS  IMAGES  SELECTOR',
      'x  Running  1/3  2m  60m | a,b  x:1,y  batch.kubernetes.io/controller-uid=u',
    ],
    [
      'jobs that are done',
      'batch/v1',
      'Job',
      {
        spec: { parallelism: 3, manualSelector: true, template },
        status: {
          startTime: '2026-11-21T11:58:00Z',
          completionTime: '2026-11-21T11:58:07Z',
          succeeded: 2,
          conditions: [{ type: 'Complete', status: 'True' }],
        },
      },
      'NAME  STATUS  COMPLETIONS  DURATION  AGE | CONTAINERS  IMAGES  SELECTOR',
      'x  Complete  2/1 of 3  7s  60m | a,b  x:1,y  <none>',
    ],
    [
      'cron jobs',
      'batch/v1',
      'CronJob',
      {
        spec: { schedule: '@daily', timeZone: 'UTC', jobTemplate: { spec: { template } } },
        status: { active: [{}], lastScheduleTime: '2026-11-21T11:59:00Z' },
      },
      'NAME  SCHEDULE  TIMEZONE  SUSPEND  ACTIVE  LAST SCHEDULE  AGE | CONTAINERS  IMAGES  SELECTOR',
      'x  @daily  UTC  False  1  60s  60m | a,b  x:1,y  <none>',
    ],
    [
      'replication controllers',
      'v1',
      'ReplicationController',
      { spec: { replicas: 3, template }, status: { replicas: 2, readyReplicas: 1 } },
      'NAME  DESIRED  CURRENT  READY  AGE | CONTAINERS  IMAGES  SELECTOR',
      'x  3  2  1  60m | a,b  x:1,y  app=web',
    ],
    [
      'pod templates',
      'v1',
      'PodTemplate',
      { template },
      'NAME  CONTAINERS  IMAGES  POD LABELS',
      'x  a,b  x:1,y  app=web',
    ],
    [
      'claims that wait',
      'v1',
      'PersistentVolumeClaim',
      { spec: { storageClassName: 'fast', accessModes: ['ReadWriteOnce'] } },
      'NAME  STATUS  VOLUME  CAPACITY  ACCESS MODES  STORAGECLASS  VOLUMEATTRIBUTESCLASS  AGE | VOLUMEMODE',
      'x  Pending        fast  <unset>  60m | Filesystem',
    ],
    [
      'claims that have a volume',
      'v1',
      'PersistentVolumeClaim',
      {
        spec: { volumeName: 'pv', storageClassName: 'fast', volumeAttributesClassName: 'gold' },
        status: { phase: 'Bound', capacity: { storage: '5Gi' }, accessModes: ['ReadWriteMany', 'ReadWriteOnce'] },
      },
      'NAME  STATUS  VOLUME  CAPACITY  ACCESS MODES  STORAGECLASS  VOLUMEATTRIBUTESCLASS  AGE | VOLUMEMODE',
      'x  Bound  pv  5Gi  RWO,RWX  fast  gold  60m | Filesystem',
    ],
    [
      'volumes',
      'v1',
      'PersistentVolume',
      {
        spec: {
          capacity: { storage: '5Gi' },
          accessModes: ['ReadWriteOncePod'],
          hostPath: { path: '/x' },
          claimRef: { namespace: 'shop', name: 'data' },
          volumeMode: 'Block',
        },
        status: { phase: 'Failed', reason: 'Lost' },
      },
      'NAME  CAPACITY  ACCESS MODES  RECLAIM POLICY  STATUS  CLAIM  STORAGECLASS  VOLUMEATTRIBUTESCLASS  REASON  AGE | VOLUMEMODE',
      'x  5Gi  RWOP  Retain  Failed  shop/data    <unset>  Lost  60m | Block',
    ],
    [
      'endpoints',
      'v1',
      'Endpoints',
      {
        subsets: [
          { addresses: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }], ports: [{ port: 80 }, { port: 443 }] },
          { notReadyAddresses: [{ ip: '10.0.0.9' }] },
        ],
      },
      'NAME  ENDPOINTS  AGE',
      'x  10.0.0.1:80,[fd00::1]:80,10.0.0.1:443 + 1 more...  60m',
    ],
    ['endpoints that there are none of', 'v1', 'Endpoints', {}, 'NAME  ENDPOINTS  AGE', 'x  <none>  60m'],
    [
      'autoscalers',
      'autoscaling/v2',
      'HorizontalPodAutoscaler',
      {
        spec: {
          scaleTargetRef: { kind: 'Deployment', name: 'web' },
          maxReplicas: 5,
          metrics: [
            { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
            { type: 'Pods', pods: { metric: { name: 'rps' }, target: { type: 'AverageValue', averageValue: '5' } } },
            { type: 'External', external: { metric: { name: 'q' }, target: { type: 'Value', value: '5' } } },
          ],
        },
        status: {
          currentReplicas: 3,
          currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 40 } } }],
        },
      },
      'NAME  REFERENCE  TARGETS  MINPODS  MAXPODS  REPLICAS  AGE',
      'x  Deployment/web  cpu: 40%/80%, <unknown>/5 + 1 more...  1  5  3  60m',
    ],
    [
      'autoscalers of the older sort',
      'autoscaling/v1',
      'HorizontalPodAutoscaler',
      {
        spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, maxReplicas: 5, minReplicas: 2 },
        status: { currentReplicas: 3, desiredReplicas: 3, currentCPUUtilizationPercentage: 40 },
      },
      'NAME  REFERENCE  TARGETS  MINPODS  MAXPODS  REPLICAS  AGE',
      'x  Deployment/web  cpu: 40%/80%  2  5  3  60m',
    ],
    [
      'disruption budgets',
      'policy/v1',
      'PodDisruptionBudget',
      { spec: { minAvailable: '50%' }, status: { disruptionsAllowed: 2 } },
      'NAME  MIN AVAILABLE  MAX UNAVAILABLE  ALLOWED DISRUPTIONS  AGE',
      'x  50%  N/A  2  60m',
    ],
    ['roles', 'rbac.authorization.k8s.io/v1', 'Role', {}, 'NAME  CREATED AT', 'x  2026-11-21T11:00:00Z'],
    ['cluster roles', 'rbac.authorization.k8s.io/v1', 'ClusterRole', {}, 'NAME  CREATED AT', 'x  2026-11-21T11:00:00Z'],
    [
      'role bindings',
      'rbac.authorization.k8s.io/v1',
      'RoleBinding',
      {
        roleRef: { kind: 'Role', name: 'reader', apiGroup: 'rbac.authorization.k8s.io' },
        subjects: [
          { kind: 'User', name: 'ann' },
          { kind: 'User', name: 'bob' },
          { kind: 'Group', name: 'devs' },
          { kind: 'ServiceAccount', name: 'robot', namespace: 'shop' },
        ],
      },
      'NAME  ROLE  AGE | USERS  GROUPS  SERVICEACCOUNTS',
      'x  Role/reader  60m | ann, bob  devs  shop/robot',
    ],
  ])('%s', (_what, apiVersion, kind, object, header, row) => {
    expect(table(apiVersion, kind, object)).toEqual([header, row]);
  });
});

describe('what is said of columns', () => {
  const described = (apiVersion: string, kindName: string): Record<string, string> => {
    const { group, version } = parseApiVersion(apiVersion)!;
    const { columns } = kinds.byKind(group, version, kindName)!;
    return Object.fromEntries(columns.map(({ name, description }) => [name, description]));
  };

  it('is what OpenAPI says of the field, without the values that it lists', async () => {
    const { byId } = await definitions();
    const said = (type: string, field: string): string =>
      JSON.parse(byId.get(type)!.json.toString()).properties[field].description;
    const pod = described('v1', 'Pod');
    expect(pod.IP).toBe(said('v1.PodStatus', 'podIP'));
    expect(pod.Age).toBe(said('meta/v1.ObjectMeta', 'creationTimestamp'));
    const { Type: type } = described('v1', 'Service');
    expect(type).toMatch(/^type determines how the Service is exposed\./);
    expect(said('v1.ServiceSpec', 'type')).toBe(`${type}${said('v1.ServiceSpec', 'type').slice(type!.length)}`);
    expect(type).not.toContain('Possible enum values');
  });

  it('differs between kinds that share columns', () => {
    const selectors = ['Deployment', 'ReplicaSet', 'DaemonSet'].map((kind) => described('apps/v1', kind).Selector);
    expect(new Set(selectors).size).toBe(3);
    const group = 'rbac.authorization.k8s.io/v1';
    expect(described(group, 'RoleBinding').Users).toBe('Users in the roleBinding');
    expect(described(group, 'ClusterRoleBinding').Users).toBe('Users in the clusterRoleBinding');
  });
});

it.each([
  [undefined, 'Pending'],
  [[{ type: 'PodGroupScheduled', status: 'True' }], 'Scheduled'],
  [[{ type: 'PodGroupScheduled', status: 'False' }], 'Unschedulable'],
  [
    [
      { type: 'PodGroupScheduled', status: 'True' },
      { type: 'DisruptionTarget', reason: 'Preempted' },
    ],
    'Preempted',
  ],
])('a pod group with %o is %s', (conditions, expected) => {
  const spec = { schedulingPolicy: { gang: { minCount: 2 } } };
  const lines = table('scheduling.k8s.io/v1alpha2', 'PodGroup', { spec, status: { conditions } });
  expect(lines[1]!.split(/\s+/)).toEqual(['x', 'Gang', '<none>', expected, '60m']);
});
