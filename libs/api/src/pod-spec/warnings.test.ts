import { FieldPath, type KubeObject } from '@periplus/apimachinery';
import { describe, expect, it } from 'vitest';
import { deployment } from '../apps/deployment.ts';
import { statefulSet } from '../apps/stateful-set.ts';
import { cronJob } from '../batch/cron-job.ts';
import { endpoints } from '../core/endpoints.ts';
import { node } from '../core/node.ts';
import { persistentVolume } from '../core/persistent-volume.ts';
import { persistentVolumeClaim } from '../core/persistent-volume-claim.ts';
import { pod } from '../core/pod.ts';
import { service } from '../core/service.ts';
import { endpointSlice } from '../discovery/endpoint-slice.ts';
import type { Kind } from '../kind.ts';
import { ingress } from '../networking/ingress.ts';
import { networkPolicy } from '../networking/network-policy.ts';
import { runtimeClass } from '../node/runtime-class.ts';
import { csiStorageCapacity } from '../storage/csi-storage-capacity.ts';
import { storageClass } from '../storage/storage-class.ts';

const warningsOf = <T extends KubeObject>(
  kind: Kind<T>,
  object: object,
  old: object | null = null,
): readonly string[] => kind.warnings(object as never, old as never, new FieldPath());
const podOf = (spec: object = {}, container: object = {}, metadata: object = {}): object => ({
  metadata: { name: 'web', ...metadata },
  spec: { containers: [{ name: 'main', image: 'a', ...container }], ...spec },
});
const deploymentOf = (template: object, metadata: object = {}): object => ({
  metadata: { name: 'web', generation: 1, ...metadata },
  spec: { template },
});
const OLD_VOLUME = {
  persistentVolumeReclaimPolicy: 'Recycle',
  nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'beta.kubernetes.io/os' }] }] } },
  storageos: {},
};
const tcp = (more: object): object => ({ containerPort: 80, protocol: 'TCP', ...more });

describe('the author of a pod', () => {
  it.each<[string, object, string[]]>([
    [
      'of nothing when all is well',
      podOf({ nodeSelector: { a: 'b' } }, { env: [{ name: 'A' }], ports: [tcp({})] }),
      [],
    ],
    [
      'of labels of nodes that have other names now',
      podOf({
        nodeSelector: { 'beta.kubernetes.io/arch': 'amd64' },
        topologySpreadConstraints: [{ topologyKey: 'failure-domain.beta.kubernetes.io/zone', labelSelector: {} }],
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [
                { matchExpressions: [{ key: 'node-role.kubernetes.io/master', operator: 'Exists' }] },
              ],
            },
          },
        },
      }),
      [
        'spec.nodeSelector[beta.kubernetes.io/arch]: deprecated since v1.14; use "kubernetes.io/arch" instead',
        'spec.topologySpreadConstraints[0].topologyKey: failure-domain.beta.kubernetes.io/zone is deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
        'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: node-role.kubernetes.io/master is use "node-role.kubernetes.io/control-plane" instead',
      ],
    ],
    [
      'of nothing that is called like something else',
      podOf(
        {
          nodeSelector: { constructor: 'a' },
          affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1 }] } },
          topologySpreadConstraints: [{ topologyKey: 'toString', labelSelector: {} }],
        },
        {},
        { annotations: { valueOf: 'b' } },
      ),
      [],
    ],
    [
      'of selectors that match no pod',
      podOf({
        topologySpreadConstraints: [{ topologyKey: 'a' }],
        affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ podAffinityTerm: {} }] } },
      }),
      [
        'spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod',
        'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector: a null labelSelector results in matching no pod',
      ],
    ],
    [
      'of variables that hide each other, but not of those that build on each other',
      podOf(
        {},
        {
          env: [
            { name: 'A', value: '1' },
            { name: 'A', value: '$(A)2' },
            { name: 'A', value: '3' },
          ],
        },
      ),
      ['spec.containers[0].env[2]: hides previous definition of "A", which may be dropped when using apply'],
    ],
    [
      'of ports that are there twice, in any container',
      podOf(
        { initContainers: [{ name: 'first', ports: [tcp({})] }] },
        {
          ports: [
            tcp({ name: 'other' }),
            tcp({ hostPort: 8080 }),
            { containerPort: 80, protocol: 'UDP', hostIP: '10.0.0.1' },
          ],
        },
      ),
      [
        'spec.containers[0].ports[0]: duplicate port definition with spec.initContainers[0].ports[0]',
        'spec.containers[0].ports[1]: overlapping port definition with spec.initContainers[0].ports[0]',
        'spec.containers[0].ports[1]: overlapping port definition with spec.containers[0].ports[0]',
        'spec.containers[0].ports[2]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:80 Protocol:UDP HostIP:10.0.0.1}',
      ],
    ],
    [
      'of parts of bytes',
      podOf({}, { resources: { requests: { memory: '100m', cpu: '100m' }, limits: { memory: '1Gi' } } }),
      ['spec.containers[0].resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer'],
    ],
    [
      'of what says nothing, or the same twice',
      podOf({
        imagePullSecrets: [{ name: '' }, { name: 'a' }, { name: 'a' }],
        hostAliases: [{ ip: '10.0.0.1' }, { ip: '10.0.0.1' }],
      }),
      [
        'spec.hostAliases[1].ip: duplicate ip "10.0.0.1"',
        'spec.imagePullSecrets[2].name: duplicate name "a"',
        'spec.imagePullSecrets[0].name: invalid empty name ""',
      ],
    ],
    [
      'of annotations and volumes that do nothing any more',
      podOf(
        {
          volumes: [
            { name: 'v', gitRepo: {} },
            { name: 'w', emptyDir: {} },
          ],
        },
        {},
        {
          annotations: {
            'seccomp.security.alpha.kubernetes.io/pod': 'x',
            'container.apparmor.security.beta.kubernetes.io/main': 'y',
          },
        },
      ),
      [
        'spec.volumes[0].gitRepo: deprecated in v1.11',
        'metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "seccompProfile" field instead',
      ],
    ],
    [
      'of a name that is no host name',
      podOf({}, {}, { name: 'a.b' }),
      [
        "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]",
      ],
    ],
  ])('is warned %s', (_, object, expected) => {
    expect(warningsOf(pod, object)).toEqual(expected);
    expect(warningsOf(pod, object, object)).toEqual([]);
  });

  it('is warned of files of a volume that are in one place', () => {
    const items = (...paths: string[]) => ({ items: paths.map((path) => ({ key: 'k', path })) });
    const volumes = [
      { name: 'fine', configMap: { name: 'm', ...items('a', 'b/c', 'b/d') } },
      { name: 'm', configMap: { name: 'm', ...items('a/', 'a', 'b/c', 'b') } },
      { name: 's', secret: { secretName: 's', ...items('x', 'x/y') } },
      { name: 'd', downwardAPI: items('x', 'x') },
      {
        name: 'p',
        projected: {
          sources: [
            { configMap: { name: 'm', ...items('a', 'c') } },
            { secret: { name: 's' } },
            { downwardAPI: items('n') },
            {},
            { serviceAccountToken: { path: 'a/token' } },
            { clusterTrustBundle: { signerName: 'x', path: 'c' } },
          ],
        },
      },
    ];
    expect(warningsOf(pod, podOf({ volumes }))).toEqual([
      'volume "m" (ConfigMap "m"): overlapping paths: "a" with "a"',
      'volume "m" (ConfigMap "m"): overlapping paths: "b" with "b/c"',
      'volume "s" (Secret "s"): overlapping paths: "x/y" with "x"',
      'volume "d" (DownwardAPI): overlapping paths: "x" with "x"',
      'volume "p" (Projected) has no sources provided',
      'volume "p" (Projected ServiceAccountToken): overlapping paths: "a/token" with "a"',
      'volume "p" (Projected ClusterTrustBundle "x"): overlapping paths: "a/token" with "a"',
      'volume "p" (Projected ClusterTrustBundle "x"): overlapping paths: "c" with "c"',
    ]);
    const sources = [{ configMap: items('a/') }, { secret: { name: 's', ...items('ab') } }];
    expect(warningsOf(pod, podOf({ volumes: [{ name: 'p', projected: { sources } }] }))).toEqual([
      'volume "p" (Projected Secret "s"): overlapping paths: "ab" with "a"',
    ]);
    const many = Array.from({ length: 20_000 }, () => 'a');
    expect(warningsOf(pod, podOf({ volumes: [{ name: 'm', configMap: items(...many) }] }))).toHaveLength(1);
  });

  it('is not told more than anybody reads, however much there is', () => {
    const ports = Array.from({ length: 50_000 }, () => tcp({}));
    expect(warningsOf(pod, podOf({}, { ports }))).toHaveLength(256);
  });
});

describe('the author of a template', () => {
  const wrong = podOf({ terminationGracePeriodSeconds: -1 });
  const warning =
    'spec.template.spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1';

  it('is warned like that of a pod, and again when the spec changes', () => {
    expect(warningsOf(deployment, deploymentOf(wrong))).toEqual([warning]);
    expect(warningsOf(deployment, deploymentOf(wrong, { generation: 2 }), deploymentOf(wrong))).toEqual([warning]);
    expect(warningsOf(deployment, deploymentOf(wrong), deploymentOf(wrong))).toEqual([]);
  });

  it('is warned of names that pods cannot have as their own, once', () => {
    const dotted = deploymentOf(podOf(), { name: 'v1.1' });
    expect(warningsOf(deployment, dotted)).toEqual([
      'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]',
    ]);
    expect(warningsOf(deployment, dotted, deploymentOf(podOf(), { generation: 0 }))).toEqual([]);
  });

  it('is told where it stands', () => {
    const spec = { jobTemplate: { spec: { template: wrong } } };
    expect(warningsOf(cronJob, { metadata: { name: 'a' }, spec })).toEqual([
      warning.replace('spec.template', 'spec.jobTemplate.spec.template'),
    ]);
    const claim = { spec: { resources: { requests: { storage: '1500m' } } } };
    const set = {
      metadata: { name: 'a' },
      spec: { template: podOf(), volumeClaimTemplates: [claim], revisionHistoryLimit: -1 },
    };
    expect(warningsOf(statefulSet, set)).toEqual([
      'spec.volumeClaimTemplates[0].resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
      'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended',
    ]);
  });
});

describe('the author of something else', () => {
  it('is warned of what a Service says in vain', () => {
    const of = (spec: object): readonly string[] =>
      warningsOf(service, { metadata: { name: 'a' }, spec: { type: 'ClusterIP', sessionAffinity: 'None', ...spec } });
    expect(of({})).toEqual([]);
    expect(of({ clusterIP: 'None', sessionAffinity: 'ClientIP', externalIPs: ['10.0.0.1'] })).toEqual([
      'spec.externalIPs is ignored for headless services',
      'spec.SessionAffinity is ignored for headless services',
    ]);
    expect(of({ externalIPs: ['10.0.0.1'], externalName: 'a.b', trafficDistribution: 'PreferClose' })).toEqual([
      'spec.externalIPs is deprecated and may no longer be implemented in some clusters',
      'spec.externalName is ignored when spec.type is not "ExternalName"',
      'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
    ]);
  });

  it('is warned of annotations that are fields now, and of volumes as they were once', () => {
    const annotations = { 'kubernetes.io/ingress.class': 'nginx', 'volume.beta.kubernetes.io/storage-class': 'fast' };
    expect(warningsOf(ingress, { metadata: { name: 'a', annotations }, spec: {} })).toEqual([
      'annotation "kubernetes.io/ingress.class" is deprecated, please use \'spec.ingressClassName\' instead',
    ]);
    expect(warningsOf(persistentVolume, { metadata: { name: 'a' }, spec: OLD_VOLUME })).toEqual([
      'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
      'spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead',
      'spec.storageOS: deprecated in v1.22, non-functional in v1.25+',
    ]);
    expect(warningsOf(persistentVolumeClaim, { metadata: { name: 'a', annotations }, spec: {} })).toEqual([
      'metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead',
    ]);
  });

  it('is warned of addresses that are not written as all programs write them', () => {
    const spec = {
      ...{ type: 'LoadBalancer', clusterIPs: ['10.0.0.1', '2001:DB8::1'], externalIPs: ['2001:db8:0::2'] },
      ...{ loadBalancerIP: '2001:db8::3', loadBalancerSourceRanges: ['2001:0db8::/32', '10.0.0.0/8', 'fd00::/8'] },
    };
    expect(warningsOf(service, { metadata: { name: 'a' }, spec })).toEqual([
      'spec.clusterIPs[1]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
      'spec.externalIPs[0]: IPv6 address "2001:db8:0::2" should be in RFC 5952 canonical format ("2001:db8::2")',
      'spec.externalIPs is deprecated and may no longer be implemented in some clusters',
      'spec.loadBalancerSourceRanges[0]: IPv6 CIDR value "2001:0db8::/32" should be in RFC 5952 canonical format ("2001:db8::/32")',
    ]);
    const from = [{ podSelector: {} }, { ipBlock: { cidr: 'FD00::/8', except: ['fd00::/16', 'FD01::/16'] } }];
    expect(warningsOf(networkPolicy, { metadata: {}, spec: { egress: [{}, { to: from }], ingress: [{}] } })).toEqual([
      'spec.egress[1].to[1].ipBlock.cidr: IPv6 CIDR value "FD00::/8" should be in RFC 5952 canonical format ("fd00::/8")',
      'spec.egress[1].to[1].ipBlock.except[1]: IPv6 CIDR value "FD01::/16" should be in RFC 5952 canonical format ("fd01::/16")',
    ]);
    const addresses = ['FD00::1', 'fd00::2'];
    const right = 'IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")';
    const slice = { addressType: 'IPv6', metadata: {}, endpoints: [{ addresses }] };
    expect(warningsOf(endpointSlice, slice)).toEqual([`endpoints[0].addresses[0]: ${right}`]);
    const labels = { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' };
    expect(warningsOf(endpointSlice, { ...slice, metadata: { labels } })).toEqual([]);
    const names = { addressType: 'FQDN', metadata: {}, endpoints: [{ addresses: ['a.example.com'] }] };
    expect(warningsOf(endpointSlice, names)).toEqual(['spec.addressType: FQDN endpoints are deprecated']);
    expect(warningsOf(endpointSlice, names, names)).toEqual([]);
    const subsets = [{ notReadyAddresses: addresses.map((ip) => ({ ip })) }];
    expect(warningsOf(endpoints, { metadata: {}, subsets })).toEqual([`subsets[0].notReadyAddresses[0].ip: ${right}`]);
  });

  it('is warned of what nodes are not called any more', () => {
    const key = 'beta.kubernetes.io/os';
    const why = 'deprecated since v1.14; use "kubernetes.io/os" instead';
    const metadata = { name: 'a' };
    const selecting = { metadata, handler: 'a', scheduling: { nodeSelector: { [key]: 'linux', a: 'b' } } };
    expect(warningsOf(runtimeClass, selecting)).toEqual([`scheduling.nodeSelector: ${why}`]);
    const expressions = [{ key: 'a' }, { key }];
    const allowedTopologies = [{}, { matchLabelExpressions: expressions }];
    expect(warningsOf(storageClass, { metadata, allowedTopologies })).toEqual([
      `allowedTopologies[1].matchLabelExpressions[1]: ${why}`,
    ]);
    const nodeTopology = { matchExpressions: expressions, matchLabels: { [key]: 'linux' } };
    expect(warningsOf(csiStorageCapacity, { metadata, nodeTopology })).toEqual([
      `nodeTopology.matchExpressions[1].key: ${key} is ${why}`,
      `nodeTopology.matchLabels.${key}: ${why}`,
    ]);
    expect(warningsOf(node, { metadata, spec: { externalID: 'x' } })).toEqual([
      'spec.externalID: this field is deprecated, and is unused by Kubernetes',
    ]);
    expect(warningsOf(node, { metadata, spec: {} })).toEqual([]);
  });
});
