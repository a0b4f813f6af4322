/** Nodes and pods for tests, with as little as the scheduler needs. */
import type { Node, Pod } from '@periplus/api';

interface NodeParts {
  labels?: Record<string, string>;
  spec?: object;
  allocatable?: Record<string, string>;
  status?: object;
}

export const makeNode = (name: string, { labels, spec = {}, allocatable, status }: NodeParts = {}): Node =>
  ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, ...labels } },
    spec,
    status: { allocatable: { cpu: '2', memory: '4Gi', pods: '10', ...allocatable }, ...status },
  }) as unknown as Node;

export const makePod = (name: string, spec: object = {}, requests: Record<string, string> = {}): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid: `uid-${name}` },
    spec: {
      schedulerName: 'default-scheduler',
      containers: [{ name: 'a', image: 'a', resources: { requests } }],
      ...spec,
    },
  }) as unknown as Pod;

/** A container that takes port 80 of its node. */
export const webContainer = (hostIP?: string) => ({
  name: 'a',
  image: 'a',
  ports: [{ containerPort: 80, hostPort: 80, hostIP }],
});

/** Required node affinity for nodes by name, as the pods of a DaemonSet have it. */
export const onlyOn = (...names: string[]) => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: names.map((name) => ({
        matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }],
      })),
    },
  },
});
