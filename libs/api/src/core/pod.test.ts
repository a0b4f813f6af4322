import { FieldPath } from '@periplus/apimachinery';
import { describe, expect, it } from 'vitest';
import { aPod, aPodWith, created, createProblems, statusProblems, updateProblems } from '../testing/objects.ts';
import { type Pod, pod } from './pod.ts';

const problems = (object: Pod): string[] => createProblems(pod, object);
const label63 = 'must be no more than 63 bytes';
const dnsLabel =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

describe('defaults of a pod', () => {
  it('are those of Kubernetes', () => {
    const { spec, status } = created(
      pod,
      aPodWith({ ports: [{ containerPort: 80 }], env: [{ name: 'A', value: '' }] }),
    );
    expect(spec).toEqual({
      containers: [
        {
          name: 'main',
          image: 'web:1',
          imagePullPolicy: 'IfNotPresent',
          ports: [{ containerPort: 80, protocol: 'TCP' }],
          env: [{ name: 'A' }],
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
        },
      ],
      dnsPolicy: 'ClusterFirst',
      enableServiceLinks: true,
      restartPolicy: 'Always',
      schedulerName: 'default-scheduler',
      securityContext: {},
      terminationGracePeriodSeconds: 30,
    });
    expect(status).toEqual({ phase: 'Pending', qosClass: 'BestEffort' });
  });

  it.each([
    ['web', 'Always'],
    ['web:latest', 'Always'],
    ['web:1.2', 'IfNotPresent'],
    ['registry.example.com:5000/web', 'Always'],
    ['registry.example.com:5000/web:1', 'IfNotPresent'],
    ['web@sha256:0123', 'IfNotPresent'],
    ['web:latest@sha256:0123', 'Always'],
  ])('pull %s %s', (image, policy) => {
    expect(created(pod, aPodWith({ image })).spec.containers[0]?.imagePullPolicy).toBe(policy);
  });

  it('take limits for requests', () => {
    const { spec } = created(
      pod,
      aPodWith({ resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } } }),
    );
    expect(spec.containers[0]?.resources).toEqual({
      limits: { cpu: '1', memory: '1Gi' },
      requests: { cpu: '500m', memory: '1Gi' },
    });
  });

  it('give ports of a pod on the network of the host the same number there', () => {
    const { spec } = created(pod, aPodWith({ ports: [{ containerPort: 80 }] }, { hostNetwork: true }));
    expect(spec.containers[0]?.ports).toEqual([{ containerPort: 80, hostPort: 80, protocol: 'TCP' }]);
  });

  it('fill in probes, volumes and the two names of the service account', () => {
    const { spec } = created(
      pod,
      aPodWith(
        { readinessProbe: { httpGet: { port: 80 } } },
        { serviceAccountName: 'robot', volumes: [{ name: 'a' }, { name: 'b', secret: { secretName: 's' } }] },
      ),
    );
    expect(spec.containers[0]?.readinessProbe).toEqual({
      httpGet: { port: 80, path: '/', scheme: 'HTTP' },
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    });
    expect(spec.volumes).toEqual([
      { name: 'a', emptyDir: {} },
      { name: 'b', secret: { secretName: 's', defaultMode: 420 } },
    ]);
    expect([spec.serviceAccountName, spec.serviceAccount]).toEqual(['robot', 'robot']);
  });

  it('leave out what says nothing, as Go clients do', () => {
    const { spec } = created(pod, aPodWith({ tty: false, workingDir: '' }, { hostNetwork: false, nodeName: '' }));
    expect(Object.keys(spec)).not.toContain('hostNetwork');
    expect(Object.keys(spec)).not.toContain('nodeName');
    expect(Object.keys(spec.containers[0] ?? {})).not.toContain('tty');
  });
});

describe('quality of service', () => {
  const both = { cpu: '1', memory: '1Gi' };
  it.each([
    [{}, 'BestEffort'],
    [{ requests: { cpu: '0' } }, 'BestEffort'],
    [{ requests: { 'example.com/gpu': '1' }, limits: { 'example.com/gpu': '1' } }, 'BestEffort'],
    [{ requests: { cpu: '1' } }, 'Burstable'],
    [{ limits: { cpu: '1' } }, 'Burstable'],
    [{ limits: both }, 'Guaranteed'],
    [{ limits: both, requests: { cpu: '1000m', memory: '1024Mi' } }, 'Guaranteed'],
    [{ limits: both, requests: { cpu: '500m' } }, 'Burstable'],
  ])('of %j is %s', (resources, qosClass) => {
    expect(created(pod, aPodWith({ resources })).status?.qosClass).toBe(qosClass);
  });
});

describe('a new pod', () => {
  it('is accepted as Kubernetes accepts it', () => {
    expect(problems(aPod())).toEqual([]);
  });

  const cases: [string, Pod, string[]][] = [
    ['without containers', aPod({ containers: [] }), ['spec.containers: Required value']],
    [
      'with a container without name and image',
      aPod({ containers: [{ name: '' }] }),
      ['spec.containers[0].name: Required value', 'spec.containers[0].image: Required value'],
    ],
    [
      'with a bad container name',
      aPodWith({ name: 'Main' }),
      [`spec.containers[0].name: Invalid value: "Main": ${dnsLabel}`],
    ],
    [
      'with a long container name',
      aPodWith({ name: 'x'.repeat(64) }),
      [`spec.containers[0].name: Invalid value: "${'x'.repeat(64)}": ${label63}`],
    ],
    [
      'with a padded image',
      aPodWith({ image: ' web' }),
      ['spec.containers[0].image: Invalid value: " web": must not have leading or trailing whitespace'],
    ],
    [
      'with two containers of one name',
      aPod({
        containers: [
          { name: 'a', image: 'x' },
          { name: 'a', image: 'x' },
        ],
      }),
      ['spec.containers[1].name: Duplicate value: "a"'],
    ],
    [
      'with an init container that has the name of another',
      aPod({ initContainers: [{ name: 'main', image: 'x' }] }),
      ['spec.initContainers[0].name: Duplicate value: "main"'],
    ],
    [
      'with bad enumerations',
      aPodWith({ imagePullPolicy: 'Sometimes' as never }, { restartPolicy: 'Maybe' as never, dnsPolicy: 'X' as never }),
      [
        'spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"',
        'spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "OnFailure", "Never"',
        'spec.dnsPolicy: Unsupported value: "X": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
      ],
    ],
    [
      'with bad ports',
      aPodWith({
        ports: [
          { containerPort: 0 },
          { containerPort: 70000, name: 'http' },
          { containerPort: 80, name: 'http', protocol: 'XTP' as never },
          { containerPort: 81, name: 'no-letters-here-at-all' },
        ],
      }),
      [
        'spec.containers[0].ports[0].containerPort: Required value',
        'spec.containers[0].ports[1].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
        'spec.containers[0].ports[2].name: Duplicate value: "http"',
        'spec.containers[0].ports[2].protocol: Unsupported value: "XTP": supported values: "SCTP", "TCP", "UDP"',
        'spec.containers[0].ports[3].name: Invalid value: "no-letters-here-at-all": must be no more than 15 bytes',
      ],
    ],
    [
      'with the same port of the host twice',
      aPodWith({
        ports: [
          { containerPort: 80, hostPort: 8080 },
          { containerPort: 81, hostPort: 8080 },
        ],
      }),
      ['spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//8080"'],
    ],
    [
      'on the network of the host with another port there',
      aPodWith({ ports: [{ containerPort: 80, hostPort: 81 }] }, { hostNetwork: true }),
      [
        'spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true',
      ],
    ],
    [
      'that requests more than its limit',
      aPodWith({ resources: { requests: { cpu: '2', memory: '1Gi' }, limits: { cpu: '1500m', memory: '1Gi' } } }),
      ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1500m'],
    ],
    [
      'that requests a part of a device',
      aPodWith({ resources: { requests: { 'example.com/gpu': '1' }, limits: { 'example.com/gpu': '2' } } }),
      ['spec.containers[0].resources.requests: Invalid value: "1": must be equal to example.com/gpu limit of 2'],
    ],
    [
      'that requests odd things',
      aPodWith({ resources: { requests: { frobs: '1', cpu: '-1' } } }),
      [
        'spec.containers[0].resources.requests[frobs]: Invalid value: "frobs": must be a standard resource type or fully qualified',
        'spec.containers[0].resources.requests[frobs]: Invalid value: "frobs": must be a standard resource for containers',
        'spec.containers[0].resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0',
      ],
    ],
    [
      'with bad variables',
      aPodWith({
        env: [
          { name: '' },
          { name: 'A=B', value: 'x' },
          { name: 'C', valueFrom: {} },
          { name: 'D', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'E', valueFrom: { fieldRef: { fieldPath: 'status.phase' } } },
          { name: 'F', valueFrom: { configMapKeyRef: { name: 'c', key: '' } } },
        ],
        envFrom: [{}],
      }),
      [
        'spec.containers[0].env[0].name: Required value',
        'spec.containers[0].env[1].name: Invalid value: "A=B": a valid environment variable name must consist only of printable ASCII characters other than \'=\'',
        'spec.containers[0].env[2].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
        'spec.containers[0].env[3].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
        'spec.containers[0].env[4].valueFrom.fieldRef.fieldPath: Unsupported value: "status.phase": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
        'spec.containers[0].env[5].valueFrom.configMapKeyRef.key: Required value',
        'spec.containers[0].envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
      ],
    ],
    [
      'with bad mounts',
      aPodWith(
        {
          volumeMounts: [
            { name: 'a', mountPath: '/a' },
            { name: 'none', mountPath: '/a' },
            { name: 'a', mountPath: '', subPath: '../x' },
          ],
        },
        { volumes: [{ name: 'a', emptyDir: {} }] },
      ),
      [
        'spec.containers[0].volumeMounts[1].name: Not found: "none"',
        'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique',
        'spec.containers[0].volumeMounts[2].mountPath: Required value',
        'spec.containers[0].volumeMounts[2].subPath: Invalid value: "../x": must not contain \'..\'',
      ],
    ],
    [
      'with bad volumes',
      aPod({
        volumes: [
          { name: 'a', emptyDir: {}, secret: { secretName: 's' } },
          { name: 'b', secret: { secretName: '', defaultMode: 512 } },
          { name: 'c', hostPath: { path: '/a/../b', type: 'Hole' as never } },
          { name: 'd', emptyDir: {} },
          { name: 'd', emptyDir: {} },
          { name: 'e', configMap: { name: 'c', items: [{ key: 'k', path: '/abs' }] } },
        ],
      }),
      [
        'spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type',
        'spec.volumes[1].secret.secretName: Required value',
        'spec.volumes[1].secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive',
        'spec.volumes[2].hostPath.path: Invalid value: "/a/../b": must not contain \'..\'',
        'spec.volumes[2].hostPath.type: Unsupported value: "Hole": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
        'spec.volumes[4].name: Duplicate value: "d"',
        'spec.volumes[5].configMap.items[0].path: Invalid value: "/abs": must be a relative path',
      ],
    ],
    [
      'with bad probes',
      aPodWith({
        livenessProbe: { httpGet: { port: 0 }, exec: { command: ['x'] }, successThreshold: 2 },
        readinessProbe: { tcpSocket: { port: 'no_such' }, periodSeconds: -1 },
        startupProbe: {},
      }),
      [
        'spec.containers[0].livenessProbe.httpGet: Forbidden: may not specify more than 1 handler type',
        'spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1',
        'spec.containers[0].readinessProbe.tcpSocket.port: Invalid value: "no_such": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
        'spec.containers[0].readinessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0',
        'spec.containers[0].startupProbe: Required value: must specify a handler type',
      ],
    ],
    [
      'with a probe of an init container',
      aPod({ initContainers: [{ name: 'i', image: 'x', readinessProbe: { exec: { command: ['x'] } } }] }),
      [
        'spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
      ],
    ],
    [
      'with bad tolerations',
      aPod({
        tolerations: [
          { operator: 'Equal', value: 'x' },
          { key: 'a', operator: 'Exists', value: 'x' },
          { key: 'b', operator: 'Sort' as never },
          { key: 'c', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 5 },
          { key: 'd', operator: 'Exists', effect: 'Never' as never },
        ],
      }),
      [
        'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
        'spec.tolerations[1].operator: Invalid value: "x": value must be empty when `operator` is \'Exists\'',
        'spec.tolerations[2].operator: Unsupported value: "Sort": supported values: "Equal", "Exists"',
        'spec.tolerations[3].effect: Invalid value: "NoSchedule": effect must be \'NoExecute\' when `tolerationSeconds` is set',
        'spec.tolerations[4].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
      ],
    ],
    [
      'with a bad affinity',
      aPod({
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In' }] }],
            },
            preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 101, preference: {} }],
          },
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              { labelSelector: {}, topologyKey: 'kubernetes.io/hostname' },
            ],
            preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: { topologyKey: '' } }],
          },
        },
      }),
      [
        "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
        'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100',
        'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey: Required value: can not be empty',
        expect.stringContaining('podAffinityTerm.topologyKey: Invalid value: "": name part must be non-empty') as never,
        expect.stringContaining('podAffinityTerm.topologyKey: Invalid value: "": name part must consist of') as never,
      ],
    ],
    [
      'with a bad spread',
      aPod({
        topologySpreadConstraints: [
          { maxSkew: 0, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' },
          { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', minDomains: 0 },
        ],
      }),
      [
        'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
        'spec.topologySpreadConstraints[0].{topologyKey, whenUnsatisfiable}: Duplicate value: "{zone, DoNotSchedule}"',
        'spec.topologySpreadConstraints[1].minDomains: Invalid value: 0: must be greater than zero',
      ],
    ],
    [
      'with a contradictory security context',
      aPodWith(
        { securityContext: { privileged: true, allowPrivilegeEscalation: false, runAsUser: -1 } },
        { hostUsers: false, hostNetwork: true, securityContext: { seccompProfile: { type: 'Localhost' } } },
      ),
      [
        'spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive',
        'spec.containers[0].securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false,"runAsUser":-1}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
        'spec.hostNetwork: Forbidden: when `pod.Spec.HostUsers` is false',
        'spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost',
      ],
    ],
    [
      'without name servers of its own, which it asks for',
      aPod({ dnsPolicy: 'None' }),
      ['spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
    ],
    [
      'with a node although it is gated',
      aPod({ nodeName: 'n', schedulingGates: [{ name: 'example.com/wait' }] }),
      ['spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared'],
    ],
    [
      'with ephemeral containers',
      aPod({ ephemeralContainers: [{ name: 'debug', image: 'x' }] }),
      ['spec.ephemeralContainers: Forbidden: cannot be set on create'],
    ],
    [
      'with a deadline of zero and bad names',
      aPod({ activeDeadlineSeconds: 0, hostname: 'A', hostAliases: [{ ip: 'x', hostnames: ['ok'] }] }),
      [
        `spec.hostname: Invalid value: "A": ${dnsLabel}`,
        'spec.hostAliases[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        'spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive',
      ],
    ],
  ];
  it.each(cases)('%s is refused', (_what, object, expected) => {
    expect(problems(object)).toEqual(expected);
  });

  it('is refused for its metadata', () => {
    const object = aPod();
    object.metadata = { namespace: 'shop', labels: { 'a b': 'c' }, finalizers: ['mine'], generateName: 'Web-' };
    expect(problems(object).map((problem) => problem.slice(0, 60))).toEqual([
      'metadata.generateName: Invalid value: "Web-": a lowercase RF',
      'metadata.name: Required value: name or generateName is requi',
      'metadata.labels: Invalid value: "a b": name part must consis',
      'metadata.finalizers[0]: Invalid value: "mine": name is neith',
    ]);
  });
});

describe('an update of a pod', () => {
  const fixed =
    'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';
  const old = () =>
    aPod({ tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }] });

  it.each<[string, (copy: Pod) => void, string[]]>([
    ['may change labels', (copy) => (copy.metadata.labels = { a: 'b' }), []],
    ['may change an image', ({ spec }) => (spec.containers[0]!.image = 'web:2'), []],
    ['may set a deadline', ({ spec }) => (spec.activeDeadlineSeconds = 5), []],
    ['may add a toleration', ({ spec }) => spec.tolerations?.push({ key: 'b', operator: 'Exists' }), []],
    ['may change how long a taint is tolerated', ({ spec }) => (spec.tolerations![0]!.tolerationSeconds = 9), []],
    [
      'may not remove a toleration',
      ({ spec }) => (spec.tolerations = []),
      ['spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds'],
    ],
    [
      'may not add a container',
      ({ spec }) => spec.containers.push({ name: 'b', image: 'x' }),
      ['spec.containers: Forbidden: pod updates may not add or remove containers'],
    ],
    ['may not move the pod', ({ spec }) => (spec.nodeName = 'n2'), [`${fixed}\n  spec.nodeName: unset -> "n2"`]],
    [
      'may not change a command',
      ({ spec }) => (spec.containers[0]!.command = ['sh']),
      [`${fixed}\n  spec.containers[0].command: unset -> ["sh"]`],
    ],
    [
      'may not add a gate',
      ({ spec }) => (spec.schedulingGates = [{ name: 'example.com/x' }]),
      [
        "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'example.com/x'",
      ],
    ],
    [
      'may not change the identity',
      (copy) => (copy.metadata.uid = 'other'),
      ['metadata.uid: Invalid value: "other": field is immutable'],
    ],
  ])('%s', (_what, change, expected) => {
    expect(updateProblems(pod, old(), change)).toEqual(expected);
  });

  it('may only shorten a deadline', () => {
    const withDeadline = aPod({ activeDeadlineSeconds: 10 });
    expect(updateProblems(pod, withDeadline, ({ spec }) => (spec.activeDeadlineSeconds = 9))).toEqual([]);
    expect(updateProblems(pod, withDeadline, ({ spec }) => (spec.activeDeadlineSeconds = 11))).toEqual([
      'spec.activeDeadlineSeconds: Invalid value: 11: must be less than or equal to previous value',
    ]);
    expect(updateProblems(pod, withDeadline, ({ spec }) => delete spec.activeDeadlineSeconds)).toEqual([
      'spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to nil value',
    ]);
  });

  it('may narrow where a gated pod runs, and remove its gates', () => {
    const gated = () => aPod({ nodeSelector: { a: 'b' }, schedulingGates: [{ name: 'example.com/x' }] });
    const narrow = ({ spec }: Pod) => {
      spec.nodeSelector = { a: 'b', c: 'd' };
      spec.schedulingGates = [];
    };
    expect(updateProblems(pod, gated(), narrow)).toEqual([]);
    expect(updateProblems(pod, gated(), ({ spec }) => (spec.nodeSelector = { a: 'c' }))).toEqual([
      'spec.nodeSelector: Invalid value: {"a":"c"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
    ]);
  });

  it('keeps the status, and counts changes of the spec', () => {
    const before = created(pod, aPod());
    const after = structuredClone(before);
    after.status = { phase: 'Running' };
    pod.prepareForUpdate(after, before);
    expect([after.status.phase, after.metadata.generation]).toEqual(['Pending', 1]);
    after.spec.containers[0]!.image = 'web:2';
    pod.prepareForUpdate(after, before);
    expect(after.metadata.generation).toBe(2);
  });
});

describe('an update of the status of a pod', () => {
  it('keeps the spec, the owners and the quality of service', () => {
    const before = created(pod, aPod());
    const after = structuredClone(before);
    after.spec.nodeName = 'n';
    after.metadata.ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'u' }];
    after.status = { phase: 'Running', podIP: '10.0.0.1' };
    pod.setDefaults(after);
    pod.prepareForStatusUpdate(after, before);
    expect(after.spec).toEqual(before.spec);
    expect(after.metadata.ownerReferences).toBeUndefined();
    expect(after.status).toEqual({
      phase: 'Running',
      podIP: '10.0.0.1',
      podIPs: [{ ip: '10.0.0.1' }],
      qosClass: 'BestEffort',
    });
    expect(pod.validateStatusUpdate(after, before, new FieldPath())).toEqual([]);
  });

  it.each<[string, (copy: Pod) => void, string[]]>([
    [
      'may not change the quality of service',
      (copy) => (copy.status = { qosClass: 'Guaranteed' }),
      ['status.qosClass: Invalid value: "Guaranteed": field is immutable'],
    ],
    [
      'needs addresses',
      (copy) => (copy.status = { podIPs: [{ ip: 'x' }] }),
      ['status.podIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ],
    [
      'may not name two addresses of one family',
      (copy) => (copy.status = { podIPs: [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }] }),
      [
        'status.podIPs: Invalid value: [{"ip":"10.0.0.1"},{"ip":"10.0.0.2"}]: may specify no more than one IP for each IP family',
      ],
    ],
  ])('%s', (_what, change, expected) => {
    expect(statusProblems(pod, aPod(), change)).toEqual(expected);
  });

  it('may not revive a container that ended for good', () => {
    const ended = { name: 'main', image: 'x', imageID: '', ready: false, restartCount: 0 };
    const before = created(pod, aPod({ restartPolicy: 'Never' }));
    before.status = {
      qosClass: 'BestEffort',
      containerStatuses: [{ ...ended, state: { terminated: { exitCode: 1 } } }],
    };
    const after = structuredClone(before);
    after.status!.containerStatuses![0]!.state = { running: {} };
    expect(pod.validateStatusUpdate(after, before, new FieldPath())).toEqual([
      {
        field: 'status.containerStatuses[0].state',
        reason: 'FieldValueForbidden',
        message: 'Forbidden: may not be transitioned to non-terminated state',
      },
    ]);
  });
});

describe('the time that a pod gets to end', () => {
  it.each<[Partial<Pod['spec']>, string, number | undefined, number]>([
    [{}, 'Running', undefined, 0],
    [{ nodeName: 'n' }, 'Running', undefined, 30],
    [{ nodeName: 'n' }, 'Running', 5, 5],
    [{ nodeName: 'n' }, 'Running', 0, 0],
    [{ nodeName: 'n', terminationGracePeriodSeconds: 7 }, 'Pending', undefined, 7],
    [{ nodeName: 'n' }, 'Succeeded', undefined, 0],
    [{ nodeName: 'n' }, 'Failed', 5, 0],
    [{ nodeName: 'n' }, 'Running', -3, 1],
  ])('of %j in phase %s, asked for %s seconds, is %d', (spec, phase, requested, seconds) => {
    const object = created(pod, aPod(spec));
    object.status = { phase: phase as never };
    expect(pod.gracePeriodSeconds(object as never, requested)).toBe(seconds);
  });
});

describe('fields of pods to select by', () => {
  it('are the indexed ones of Kubernetes', () => {
    const object = created(pod, aPod({ nodeName: 'n', serviceAccountName: 'robot' }));
    object.status = { phase: 'Running', podIPs: [{ ip: '10.0.0.1' }], nominatedNodeName: 'm' };
    const values = Object.entries(pod.selectableFields).map(([field, of]) => `${field}=${of(object)}`);
    expect(values).toEqual([
      'spec.nodeName=n',
      'spec.restartPolicy=Always',
      'spec.schedulerName=default-scheduler',
      'spec.serviceAccountName=robot',
      'spec.hostNetwork=false',
      'status.phase=Running',
      'status.podIP=10.0.0.1',
      'status.podIPs=10.0.0.1',
      'status.nominatedNodeName=m',
    ]);
  });
});
