import { FieldPath } from '@periplus/apimachinery';
import type { IDevice } from 'kubernetes-models/resource.k8s.io/v1/Device';
import { describe, expect, it } from 'vitest';
import { created, createProblems, updateProblems } from '../testing/objects.ts';
import { table } from '../testing/table.ts';
import { type DeviceClass, deviceClass } from './device-class.ts';
import { type ResourceSlice, resourceSlice } from './resource-slice.ts';

const aSlice = (spec: Partial<ResourceSlice['spec']> = {}): ResourceSlice => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceSlice',
  metadata: { name: 'slice' },
  spec: {
    driver: 'gpu.example.com',
    nodeName: 'node-1',
    pool: { name: 'node-1', generation: 1, resourceSliceCount: 1 },
    ...spec,
  },
});
const withDevice = (device: Partial<IDevice>, spec: Partial<ResourceSlice['spec']> = {}): ResourceSlice =>
  aSlice({ devices: [{ name: 'gpu-0', ...device }], ...spec });
const count = (length: number): Record<string, { string: string }> =>
  Object.fromEntries(Array.from({ length }, (_, i) => [`a${i}`, { string: 'x' }]));
const WHERE = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';

describe('a ResourceSlice', () => {
  it('shows where its devices come from', () => {
    expect(table(resourceSlice, aSlice())).toEqual([
      'NAME  NODE  DRIVER  POOL  AGE',
      'slice  node-1  gpu.example.com  node-1  60m',
    ]);
  });

  it('leaves out what Kubernetes does not know yet', () => {
    const { spec } = created(
      resourceSlice,
      withDevice({
        attributes: { a: { ints: [1] }, b: { int: 1, strings: ['x'] } },
        nodeAllocatableResourceMappings: { cpu: {} },
      }),
    );
    expect(spec.devices).toEqual([{ name: 'gpu-0', attributes: { a: {}, b: { int: 1 } } }]);
  });

  it.each<[string, ResourceSlice, string[]]>([
    [
      'that is whole',
      withDevice({
        attributes: { model: { string: 'a100' }, 'x.example.com/version': { version: '1.2.3-rc.1+build' } },
        capacity: { memory: { value: '40Gi' } },
        taints: [{ key: 'example.com/broken', effect: 'NoExecute' }],
      }),
      [],
    ],
    ['with shared counters', aSlice({ sharedCounters: [{ name: 'memory', counters: { all: { value: '8Gi' } } }] }), []],
    [
      'of nobody',
      aSlice({ driver: '', pool: { name: 'a//b', generation: -1, resourceSliceCount: 0 }, nodeName: '' }),
      [
        'spec.driver: Required value',
        expect.stringContaining('spec.pool.name: Invalid value: "": a lowercase RFC 1123 subdomain must consist of'),
        'spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero',
        'spec.pool.generation: Invalid value: -1: must be greater than or equal to zero',
        'spec.nodeName: Invalid value: "": must be either unset or set to a non-empty string',
        `spec: Required value: ${WHERE}`,
      ] as string[],
    ],
    [
      'on too many nodes',
      aSlice({ allNodes: true, nodeSelector: { nodeSelectorTerms: [{}, {}] } }),
      [
        'spec.nodeSelector.nodeSelectorTerms: Invalid value: [{},{}]: must have exactly one node selector term',
        `spec: Invalid value: "{\`nodeName\`, \`nodeSelector\`, \`allNodes\`}": ${WHERE}, but multiple fields are set`,
      ],
    ],
    [
      'with all nodes that are none',
      aSlice({ allNodes: false }),
      ['spec.allNodes: Invalid value: false: must be either unset or set to true'],
    ],
    [
      'with counters and devices',
      withDevice({}, { sharedCounters: [{ name: 'a', counters: { a: { value: '1' } } }] }),
      ['spec: Invalid value: "": only one of `sharedCounters` or `devices` is allowed'],
    ],
    [
      'with counters of nothing',
      aSlice({
        sharedCounters: [
          { name: '', counters: {} },
          { name: 'a', counters: { A: { value: '1' } } },
        ],
      }),
      [
        'spec.sharedCounters[0].name: Required value',
        'spec.sharedCounters[0].counters: Required value',
        expect.stringContaining('spec.sharedCounters[1].counters: Invalid value: "A": a lowercase RFC 1123 label'),
      ] as string[],
    ],
    [
      'with too many devices',
      aSlice({ devices: Array.from({ length: 129 }, (_, i) => ({ name: `d${i}` })) }),
      ['spec.devices: Too many: 129: must have at most 128 items'],
    ],
    [
      'with too many devices for taints',
      aSlice({
        devices: Array.from({ length: 65 }, (_, i) => ({
          name: `d${i}`,
          taints: [{ key: 'a', effect: 'None' as const }],
        })),
      }),
      ['spec.devices: Too many: 65: must have at most 64 items'],
    ],
    [
      'with a device that is there twice',
      aSlice({ devices: [{ name: 'a' }, { name: 'a' }] }),
      ['spec.devices[1]: Duplicate value: "a"'],
    ],
    [
      'with attributes of odd names',
      withDevice({
        attributes: { 'a-b': { int: 1 }, '/a': { int: 1 }, 'a/': { int: 1 }, ['x'.repeat(33)]: { int: 1 } },
      }),
      [
        expect.stringContaining('spec.devices[0].attributes: Invalid value: "a-b": a valid C identifier'),
        'spec.devices[0].attributes: Invalid value: "": the domain must not be empty',
        'spec.devices[0].attributes: Invalid value: "": the name must not be empty',
        'spec.devices[0].attributes: Too long: may not be more than 32 bytes',
      ] as string[],
    ],
    [
      'with attributes of odd values',
      withDevice({
        attributes: { a: {}, b: { int: 1, bool: true }, c: { version: 'v1.2' }, d: { string: 'x'.repeat(65) } },
      }),
      [
        'spec.devices[0].attributes[a]: Invalid value: "": exactly one value must be specified',
        'spec.devices[0].attributes[b]: Invalid value: {"int":1,"bool":true}: exactly one value must be specified',
        'spec.devices[0].attributes[c].version: Invalid value: "v1.2": must be a string compatible with semver.org spec 2.0.0',
        'spec.devices[0].attributes[d].string: Too long: may not be more than 64 bytes',
      ],
    ],
    [
      'with too many attributes',
      withDevice({ attributes: count(32), capacity: { memory: { value: '1' } } }),
      ['spec.devices[0]: Invalid value: 33: the total number of attributes and capacities must not exceed 32'],
    ],
    [
      'with taints of nothing',
      withDevice({ taints: [{ key: '', effect: '' as never }] }),
      [
        expect.stringContaining('spec.devices[0].taints[0].key: Invalid value: "": name part must be non-empty'),
        expect.stringContaining('spec.devices[0].taints[0].key: Invalid value: "": name part must consist of'),
        'spec.devices[0].taints[0].effect: Required value',
      ] as string[],
    ],
    [
      'with nodes of a device',
      withDevice({ nodeName: 'a' }),
      [
        'spec.devices[0]: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
      ],
    ],
    [
      'with nodes of each device',
      aSlice({
        nodeName: undefined,
        perDeviceNodeSelection: true,
        devices: [{ name: 'a', nodeName: 'b' }, { name: 'b' }, { name: 'c', nodeName: 'b', allNodes: true }],
      }),
      [
        'spec.devices[1]: Required value: exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
        'spec.devices[2]: Invalid value: "{`nodeName`, `allNodes`}": exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
      ],
    ],
    [
      'with counters that are consumed twice',
      withDevice({
        consumesCounters: [
          { counterSet: 'a', counters: { x: { value: '1' } } },
          { counterSet: 'a', counters: {} },
        ],
      }),
      [
        'spec.devices[0].consumesCounters[1].counters: Required value',
        'spec.devices[0].consumesCounters[1]: Duplicate value: "a"',
      ],
    ],
  ])('%s', (_, slice, problems) => {
    expect(createProblems(resourceSlice, slice)).toEqual(problems);
  });

  it.each<[string, object, string[]]>([
    ['values', { default: '2', validValues: ['1', '2', '4'] }, []],
    ['a range', { default: '2Gi', validRange: { min: '1Gi', max: '8Gi', step: '1Gi' } }, []],
    ['nothing', { default: null }, []],
    [
      'values and a range',
      { default: '1', validValues: ['1'], validRange: { min: '1' } },
      [
        'requestPolicy: Forbidden: exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time',
      ],
    ],
    [
      'values without a default',
      { validValues: ['1'] },
      ['requestPolicy.default: Required value: required when validValues is defined'],
    ],
    [
      'values without order',
      { default: '3', validValues: ['2', '1', '2', '99Gi'] },
      [
        'requestPolicy.validValues[1]: Invalid value: "1": values must be sorted in ascending order',
        'requestPolicy.validValues[3]: Invalid value: "99Gi": option is larger than capacity value: 8Gi',
        'requestPolicy.validValues[2]: Duplicate value: "2"',
        'requestPolicy.validValues: Invalid value: "3": default value is not valid according to the requestPolicy',
      ],
    ],
    [
      'a range without a begin',
      { default: '1', validRange: { max: '1' } },
      ['requestPolicy.validRange.min: Required value: required when validRange is defined'],
    ],
    [
      'a range that does not fit',
      { default: '1Gi', validRange: { min: '9Gi', max: '10Gi', step: '3Gi' } },
      [
        'requestPolicy.validRange.min: Invalid value: "9Gi": min is larger than capacity value: 8Gi',
        'requestPolicy.validRange.min: Invalid value: "1Gi": default is less than min: 9Gi',
        'requestPolicy.validRange.max: Invalid value: "10Gi": max is larger than capacity value: 8Gi',
        'requestPolicy.validRange.step: Invalid value: "3Gi": one step 12Gi is larger than capacity value: 8Gi',
        'requestPolicy.validRange.step: Invalid value: "1Gi": value is not a multiple of a given step (3Gi) from (9Gi)',
        'requestPolicy.validRange.step: Invalid value: "10Gi": value is not a multiple of a given step (3Gi) from (9Gi)',
      ],
    ],
    [
      'steps of nothing',
      { default: '1', validRange: { min: '1', step: '0' } },
      ['requestPolicy.validRange.step: Invalid value: "1": value is not a multiple of a given step (0) from (1)'],
    ],
  ])('has a capacity of which requests get %s', (_, requestPolicy, problems) => {
    const device = { allowMultipleAllocations: true, capacity: { memory: { value: '8Gi', requestPolicy } } };
    expect(createProblems(resourceSlice, withDevice(device))).toEqual(
      problems.map((problem) => `spec.devices[0].capacity[memory].${problem}`),
    );
  });

  it('has capacity for one request, unless it says otherwise', () => {
    const device = { capacity: { memory: { value: '8Gi', requestPolicy: { default: '1' } } } };
    expect(createProblems(resourceSlice, withDevice(device))).toEqual([
      'spec.devices[0].capacity[memory].requestPolicy: Forbidden: allowMultipleAllocations must be true',
    ]);
  });

  it('stays with its driver, pool and node, and counts changes', () => {
    const change = (copy: ResourceSlice): void => {
      Object.assign(copy.spec, { driver: 'b', nodeName: 'b', pool: { ...copy.spec.pool, name: 'b' } });
    };
    expect(updateProblems(resourceSlice, aSlice(), change)).toEqual(
      ['pool.name', 'driver', 'nodeName'].map((field) => `spec.${field}: Invalid value: "b": field is immutable`),
    );
    const old = created(resourceSlice, aSlice());
    const now = structuredClone(old);
    now.spec.pool.generation = 2;
    resourceSlice.prepareForUpdate(now, old);
    expect([old.metadata.generation, now.metadata.generation]).toEqual([1, 2]);
  });

  it('warns of drivers with capitals', () => {
    const slice = created(resourceSlice, aSlice({ driver: 'GPU.example.com' }));
    expect(resourceSlice.warnings(slice, null, new FieldPath())).toEqual([
      'spec.driver: driver names should be lowercase; "GPU.example.com" contains uppercase characters',
    ]);
  });
});

describe('a DeviceClass', () => {
  const aClass = (spec: DeviceClass['spec'] = {}): DeviceClass => ({
    apiVersion: 'resource.k8s.io/v1',
    kind: 'DeviceClass',
    metadata: { name: 'gpu' },
    spec,
  });

  it('may be for all devices, or for those that it says', () => {
    expect(createProblems(deviceClass, aClass())).toEqual([]);
    const selectors = [{ cel: { expression: 'device.driver == 1' } }];
    expect(createProblems(deviceClass, aClass({ selectors, config: [{}], extendedResourceName: 'gpu' }))).toEqual([
      'spec.config[0].opaque: Required value',
      'spec.extendedResourceName: Invalid value: "gpu": must be a valid extended resource name',
      "spec.selectors[0].cel.expression: Invalid value: \"device.driver == 1\": compilation failed: ERROR: <input>:1:15: found no matching overload for '_==_' applied to '(string, int)'\n | device.driver == 1\n | ..............^",
    ]);
    expect(createProblems(deviceClass, aClass({ extendedResourceName: 'example.com/gpu' }))).toEqual([]);
  });

  it('keeps expressions that were fine when they were stored', () => {
    const stored = aClass({ selectors: [{ cel: { expression: 'device.of.another.time' } }] });
    const label = (copy: DeviceClass): void => {
      copy.metadata.labels = { a: 'b' };
    };
    expect(updateProblems(deviceClass, stored, label)).toEqual([]);
    const add = (copy: DeviceClass): void => {
      copy.spec.selectors!.push({ cel: { expression: 'true' } });
    };
    expect(updateProblems(deviceClass, stored, add)).toHaveLength(1);
  });
});
