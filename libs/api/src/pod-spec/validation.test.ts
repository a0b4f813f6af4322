import { describe, expect, it } from 'vitest';
import { type Pod, pod } from '../core/pod.ts';
import { aPod, aPodWith, createProblems } from '../testing/objects.ts';

const problems = (object: Pod): string[] => createProblems(pod, object);
const label63 = 'must be no more than 63 bytes';
const dnsLabel =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

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
        'spec.containers[0].volumeMounts.subPath: Invalid value: "../x": must not contain \'..\'',
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
      'with odd domains to search',
      aPod({ dnsConfig: { searches: ['.', '_tcp.example.com.', 'Example.com'] } }),
      [
        "spec.dnsConfig.searches[2]: Invalid value: \"Example.com\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')",
      ],
    ],
    [
      'with restart rules that nothing backs',
      aPodWith({ restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: '', values: [1] } }] }),
      [
        'spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used',
        'spec.containers[0].restartPolicyRules[0].exitCodes.operator: Unsupported value: "": supported values: "In", "NotIn"',
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
