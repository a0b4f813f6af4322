import { describe, expect, it } from 'vitest';
import { created, createProblems, statusProblems, updateProblems } from '../testing/objects.ts';
import { type ConfigMap, configMap } from './config-map.ts';
import { type CoreEvent, coreEvent } from './event.ts';
import { type Namespace, namespace } from './namespace.ts';
import { type Node, node } from './node.ts';
import { type Secret, secret } from './secret.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const aNamespace = (name = 'shop'): Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
  spec: {},
});
const aConfigMap = (more: Partial<ConfigMap> = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'c', namespace: 'shop' },
  ...more,
});
const aSecret = (more: Partial<Secret> = {}): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 's', namespace: 'shop' },
  ...more,
});
const aNode = (spec: Node['spec'] = {}, status: Node['status'] = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n1' },
  spec,
  status,
});

describe('a namespace', () => {
  it('is made active, with its finalizer and a label of its name', () => {
    const { metadata, spec, status } = created(namespace, aNamespace());
    expect({ metadata, spec, status }).toEqual({
      metadata: { name: 'shop', labels: { 'kubernetes.io/metadata.name': 'shop' } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
  });

  it('has a name that is a label of DNS', () => {
    expect(createProblems(namespace, aNamespace('a.b'))).toEqual([
      'metadata.name: Invalid value: "a.b": must not contain dots',
    ]);
  });

  it('keeps its finalizers in updates and its phase in line with its deletion', () => {
    expect(updateProblems(namespace, aNamespace(), (copy) => (copy.spec.finalizers = []))).toEqual([]);
    expect(statusProblems(namespace, aNamespace(), (copy) => (copy.status = { phase: 'Terminating' }))).toEqual([
      'status.Phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty',
    ]);
  });

  it('cannot be deleted by the collection', () => {
    expect(namespace.verbs).not.toContain('deletecollection');
  });
});

describe('a config map', () => {
  it.each<[string, Partial<ConfigMap>, string[]]>([
    ['without data', {}, []],
    ['with data of both sorts', { data: { a: '1' }, binaryData: { b: base64('2') } }, []],
    [
      'with one key in both',
      { data: { a: '1' }, binaryData: { a: base64('2') } },
      ['data[a]: Invalid value: "a": duplicate of key present in binaryData'],
    ],
    ['with a key that is no file name', { data: { '..': '' } }, ['data[..]: Invalid value: "..": must not be \'..\'']],
    [
      'with too much data',
      { data: { a: 'x'.repeat(1024 * 1024 + 1) } },
      ['<nil>: Too long: may not be more than 1048576 bytes'],
    ],
  ])('%s', (_what, more, expected) => {
    expect(createProblems(configMap, aConfigMap(more))).toEqual(expected);
  });

  it('that is frozen stays as it is, but for its labels', () => {
    const frozen = () => aConfigMap({ immutable: true, data: { a: '1' } });
    expect(updateProblems(configMap, frozen(), (copy) => (copy.metadata.labels = { a: 'b' }))).toEqual([]);
    const change = (copy: ConfigMap) => {
      copy.immutable = false;
      copy.data = { a: '2' };
    };
    expect(updateProblems(configMap, frozen(), change)).toEqual([
      'immutable: Forbidden: field is immutable when `immutable` is set',
      'data: Forbidden: field is immutable when `immutable` is set',
    ]);
  });
});

describe('a secret', () => {
  it('turns text into data, which wins, and is opaque unless it says otherwise', () => {
    const object = created(
      secret,
      aSecret({ data: { a: base64('old'), b: base64('kept') }, stringData: { a: 'nëw' } }),
    );
    expect(object).toMatchObject({ type: 'Opaque', data: { a: base64('nëw'), b: base64('kept') } });
    expect(Object.keys(object)).not.toContain('stringData');
  });

  it('is sealed at rest', () => {
    expect(secret.confidential).toEqual(['data', 'metadata.annotations']);
  });

  it.each<[string, Partial<Secret>, string[]]>([
    ['kubernetes.io/tls', {}, ['data[tls.crt]: Required value', 'data[tls.key]: Required value']],
    ['kubernetes.io/basic-auth', {}, ['data[username]: Required value', 'data[password]: Required value']],
    ['kubernetes.io/basic-auth', { stringData: { username: 'u' } }, []],
    ['kubernetes.io/ssh-auth', {}, ['data[ssh-privatekey]: Required value']],
    ['kubernetes.io/dockerconfigjson', {}, ['data[.dockerconfigjson]: Required value']],
    ['kubernetes.io/dockerconfigjson', { stringData: { '.dockerconfigjson': '{}' } }, []],
    [
      'kubernetes.io/dockerconfigjson',
      { stringData: { '.dockerconfigjson': 'hunter2' } },
      ['data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": must be a JSON object'],
    ],
    [
      'kubernetes.io/service-account-token',
      {},
      ['metadata.annotations[kubernetes.io/service-account.name]: Required value'],
    ],
    ['example.com/own', {}, []],
    ['constructor', {}, []],
  ])('of type %s with %j', (type, more, expected) => {
    expect(createProblems(secret, aSecret({ type, ...more }))).toEqual(expected);
  });

  it('keeps its type', () => {
    expect(updateProblems(secret, aSecret(), (copy) => (copy.type = 'example.com/own'))).toEqual([
      'type: Invalid value: "example.com/own": field is immutable',
    ]);
  });

  it('has limited data', () => {
    const large = base64('x'.repeat(1024 * 1024 + 1));
    expect(createProblems(secret, aSecret({ data: { a: large } }))).toEqual([
      'data: Too long: may not be more than 1048576 bytes',
    ]);
  });
});

describe('a node', () => {
  it('registers with a status, and can allocate what it has', () => {
    const { status } = created(node, aNode({}, { capacity: { cpu: '4' } }));
    expect(status).toEqual({ capacity: { cpu: '4' }, allocatable: { cpu: '4' } });
  });

  it('has sound taints and ranges', () => {
    const spec: Node['spec'] = {
      taints: [
        { key: 'a', effect: 'NoSchedule' },
        { key: 'a', effect: 'NoSchedule' },
        { key: 'b', effect: '' as never },
      ],
      podCIDRs: ['10.0.0.0/24', '10.0.1.0/24'],
    };
    expect(createProblems(node, aNode(spec))).toEqual([
      'metadata.taints[1]: Duplicate value: {"key":"a","effect":"NoSchedule"}: taints must be unique by key and effect pair',
      'metadata.taints[2].effect: Required value',
      'spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.0.1.0/24"]: may specify no more than one CIDR for each IP family',
    ]);
  });

  it('keeps the range and the identity that it was given', () => {
    const old = () => aNode({ podCIDR: '10.0.0.0/24', providerID: 'a://1' });
    const change = ({ spec }: Node) => {
      spec.podCIDRs = ['10.0.1.0/24'];
      spec.podCIDR = '10.0.1.0/24';
      spec.providerID = 'a://2';
    };
    expect(updateProblems(node, old(), change)).toEqual([
      'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
      'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
    ]);
    expect(updateProblems(node, aNode(), ({ spec }) => (spec.podCIDR = '10.0.0.0/24'))).toEqual([]);
  });

  it('reports sound amounts and each address once', () => {
    const change = (copy: Node) => {
      copy.status = {
        capacity: { cpu: '-1', pods: '1500m' },
        addresses: [
          { type: 'InternalIP', address: '10.1.0.1' },
          { type: 'InternalIP', address: '10.1.0.1' },
        ],
      };
    };
    expect(statusProblems(node, aNode({}, { allocatable: { cpu: '1' } }), change)).toEqual([
      'status.capacity.cpu: Invalid value: "-1": must be greater than or equal to 0',
      'status.capacity.pods: Invalid value: "1500m": must be an integer',
      'status.allocatable.cpu: Invalid value: "-1": must be greater than or equal to 0',
      'status.allocatable.pods: Invalid value: "1500m": must be an integer',
      'status.addresses[1]: Duplicate value: {"type":"InternalIP","address":"10.1.0.1"}',
    ]);
  });
});

describe('an event', () => {
  const anEvent = (more: Partial<CoreEvent> = {}, metadataNamespace = 'shop'): CoreEvent => ({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'e', namespace: metadataNamespace },
    involvedObject: { kind: 'Pod', namespace: 'shop', name: 'web' },
    ...more,
  });

  it.each<[string, CoreEvent, string[]]>([
    ['about an object of its namespace', anEvent(), []],
    ['about a node', anEvent({ involvedObject: { kind: 'Node', name: 'n' } }, 'default'), []],
    [
      'about an object of another namespace',
      anEvent({ involvedObject: { namespace: 'other' } }),
      ['involvedObject.namespace: Invalid value: "other": does not match event.namespace'],
    ],
    [
      'of the newer sort',
      anEvent({ eventTime: '2026-11-21T12:00:00.000000Z', message: 'x'.repeat(1025) }),
      [
        'reportingComponent: Required value',
        'reportingInstance: Required value',
        'action: Required value',
        'reason: Required value',
        'message: Invalid value: "": can have at most 1024 characters',
      ],
    ],
  ])('%s', (_what, object, expected) => {
    expect(createProblems(coreEvent, object)).toEqual(expected);
  });
});
