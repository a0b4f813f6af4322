import { describe, expect, it } from 'vitest';
import { asking, celSelector, DRIVER, makeClaim, makeClass, makeSlice, resultOf } from '../testing/devices.ts';
import { makeNode } from '../testing/objects.ts';
import { AllocatedDevices } from './allocated-devices.ts';
import { allocate } from './allocator.ts';
import { DevicePools } from './device-pools.ts';
import { DeviceSelectors } from './device-selectors.ts';
import type { AllocatedDevice, Allocation, Claim, Class, Device, Slice } from './resource-types.ts';
import { wantedDevices } from './wanted-devices.ts';

/** Selects devices of a model. */
const of = (model: string) => celSelector(`device.attributes["${DRIVER}"].model == "${model}"`);

interface Setting {
  slices: readonly Slice[];
  classes?: readonly Class[];
  taken?: readonly AllocatedDevice[];
  node?: string;
  labels?: Record<string, string>;
  steps?: number;
}

function find(claims: readonly Claim[], setting: Setting): readonly Allocation[] | string {
  const { slices, classes = [makeClass('gpu')], taken = [], node = 'n', labels, steps = 10_000 } = setting;
  const pools = new DevicePools();
  for (const slice of slices) pools.set(slice);
  const allocated = new AllocatedDevices();
  allocated.add({ devices: { results: [...taken] } });
  const deps = { allocated, selectors: new DeviceSelectors() };
  const open = claims.map((claim) => {
    const wanted = wantedDevices(claim, (name) => classes.find(({ metadata }) => metadata.name === name));
    if (typeof wanted === 'string') throw new Error(wanted);
    return { claim, wanted };
  });
  const where = makeNode(node, { labels });
  return allocate(open, where, pools.reachedFrom(where), deps, { steps });
}

/** `request=pool/device` of each device that was found, by claim. */
const found = (...args: Parameters<typeof find>): string | string[][] => {
  const result = find(...args);
  if (typeof result === 'string') return result;
  return result.map(({ devices }) => devices!.results!.map((one) => `${one.request}=${one.pool}/${one.device}`));
};

const model = (name: string, value: string, more: Partial<Device> = {}): Device => ({
  name,
  attributes: { model: { string: value } },
  ...more,
});
const NONE = 'cannot allocate all claims';

describe('devices for claims', () => {
  const two = [makeSlice('n', ['a', 'b'])];

  it('are the first that are free, one for each request', () => {
    const claim = makeClaim('c', { requests: [asking('x'), asking('y')] });
    expect(found([claim], { slices: two })).toEqual([['x=n/a', 'y=n/b']]);
    expect(found([claim], { slices: two, taken: [resultOf('n', 'a')] })).toBe(NONE);
    expect(found([makeClaim('c'), makeClaim('d')], { slices: two })).toEqual([['r=n/a'], ['r=n/b']]);
    expect(found([makeClaim('c')], { slices: two, taken: [resultOf('n', 'a')] })).toEqual([['r=n/b']]);
  });

  it('are as many as were asked for, or all, and then at least one', () => {
    const count = (count: number) => [makeClaim('c', { requests: [asking('r', { count })] })];
    expect(found(count(2), { slices: two })).toEqual([['r=n/a', 'r=n/b']]);
    expect(found(count(3), { slices: two })).toBe(NONE);
    const all = [makeClaim('c', { requests: [asking('r', { allocationMode: 'All', count: undefined })] })];
    expect(found(all, { slices: two })).toEqual([['r=n/a', 'r=n/b']]);
    expect(found(all, { slices: two, taken: [resultOf('n', 'b')] })).toBe(NONE);
    expect(found(all, { slices: [] })).toBe(NONE);
  });

  it('are no more than 32 of one claim', () => {
    const slices = [
      makeSlice(
        'n',
        Array.from({ length: 40 }, (_, at) => `d${at}`),
      ),
    ];
    const count = (count: number) => [makeClaim('c', { requests: [asking('r', { count })] })];
    expect(found(count(32), { slices })).toHaveLength(1);
    expect(found(count(33), { slices })).toBe(NONE);
  });

  it('are of the models that the class and the request select', () => {
    const slices = [makeSlice('n', [model('a', 'small'), model('b', 'large')])];
    const large = asking('r', { selectors: [of('large')] });
    expect(found([makeClaim('c', { requests: [large] })], { slices })).toEqual([['r=n/b']]);
    const classes = [makeClass('gpu', { selectors: [celSelector('device.driver == "other"')] })];
    expect(found([makeClaim('c')], { slices, classes })).toBe(NONE);
  });

  it('are none where an expression has no answer, which is said', () => {
    const asked = (expression: string) => [
      makeClaim('c', { requests: [asking('r', { selectors: [celSelector(expression)] })] }),
    ];
    expect(found(asked('no such'), { slices: two })).toMatch(
      /^claim default\/c: selector #0: CEL compile error: compilation failed: ERROR: /,
    );
    expect(found(asked('device.attributes["a"].b == "c"'), { slices: two })).toBe(
      'claim default/c: selector #0: CEL runtime error: no such key: b',
    );
    const classes = [makeClass('gpu', { selectors: [celSelector('no such')] })];
    expect(found([makeClaim('c')], { slices: two, classes })).toMatch(/^class gpu: selector #0: CEL compile error: /);
  });

  it('are of the first alternative that can be had', () => {
    const slices = [makeSlice('n', [model('a', 'small'), model('b', 'small'), model('c', 'large')])];
    const alternative = (name: string, value: string, count = 1) => ({
      ...{ name, deviceClassName: 'gpu', allocationMode: 'ExactCount', count },
      selectors: [of(value)],
    });
    const firstAvailable = [
      alternative('big', 'large', 2),
      alternative('one', 'large'),
      alternative('two', 'small', 2),
    ];
    const claim = makeClaim('c', { requests: [{ name: 'r', firstAvailable }] });
    expect(found([claim], { slices })).toEqual([['r/one=n/c']]);
    expect(found([claim], { slices, taken: [resultOf('n', 'c')] })).toEqual([['r/two=n/a', 'r/two=n/b']]);
    // The second claim can't have the large one, too.
    expect(found([claim, makeClaim('d', claim.spec.devices)], { slices })).toEqual([
      ['r/one=n/c'],
      ['r/two=n/a', 'r/two=n/b'],
    ]);
  });

  it('go back to another choice where the first leaves nothing for a later request', () => {
    const slices = [makeSlice('n', [model('a', 'large'), model('b', 'small')])];
    const large = asking('y', { selectors: [of('large')] });
    expect(found([makeClaim('c', { requests: [asking('x'), large] })], { slices })).toEqual([['x=n/b', 'y=n/a']]);
  });

  it('have an attribute in common, or not, as constraints want it', () => {
    const numa = (name: string, node: number): Device => ({ name, attributes: { numa: { int: node } } });
    const slices = [makeSlice('n', [numa('a', 0), numa('b', 1), numa('c', 1), { name: 'd' }])];
    const requests = [asking('x'), asking('y')];
    const attribute = `${DRIVER}/numa`;
    const with_ = (...constraints: object[]) => [makeClaim('c', { requests, constraints })];
    expect(found(with_({ matchAttribute: attribute }), { slices })).toEqual([['x=n/b', 'y=n/c']]);
    expect(found(with_({ distinctAttribute: attribute }), { slices })).toEqual([['x=n/a', 'y=n/b']]);
    expect(found(with_({ matchAttribute: attribute, requests: ['x'] }), { slices })).toEqual([['x=n/a', 'y=n/b']]);
    expect(found(with_({ matchAttribute: 'other.example.com/numa' }), { slices })).toBe(NONE);
  });

  it('may be in use where admin access is asked for, and are then nobody else’s either', () => {
    const admin = asking('r', { adminAccess: true });
    const slices = [makeSlice('n', ['a'])];
    const taken = [resultOf('n', 'a')];
    expect(find([makeClaim('c', { requests: [admin] })], { slices, taken })).toMatchObject([
      { devices: { results: [{ device: 'a', adminAccess: true }] } },
    ]);
    const spared = [resultOf('n', 'a', { adminAccess: true })];
    expect(found([makeClaim('c')], { slices, taken: spared })).toEqual([['r=n/a']]);
    expect(found([makeClaim('c', { requests: [admin, asking('y')] })], { slices })).toBe(NONE);
  });

  it('leave a free one to whoever may not have one that is owned', () => {
    const admin = asking('x', { adminAccess: true });
    const claim = makeClaim('c', { requests: [admin, asking('y')] });
    expect(found([claim], { slices: two, taken: [resultOf('n', 'b')] })).toEqual([['x=n/b', 'y=n/a']]);
  });

  it('are not tainted, unless that is tolerated', () => {
    const taint = (effect: string) =>
      ({ key: 'health', value: 'bad', effect }) as NonNullable<Device['taints']>[number];
    const tainted = (effect: string) => [makeSlice('n', [{ name: 'a', taints: [taint(effect)] }])];
    const tolerating = (toleration: object) => [
      makeClaim('c', { requests: [asking('r', { tolerations: [toleration as { operator: 'Exists' }] })] }),
    ];
    expect(found([makeClaim('c')], { slices: tainted('NoSchedule') })).toBe(NONE);
    expect(found([makeClaim('c')], { slices: tainted('NoExecute') })).toBe(NONE);
    expect(found([makeClaim('c')], { slices: tainted('None') })).toEqual([['r=n/a']]);
    const slices = tainted('NoSchedule');
    expect(found(tolerating({ operator: 'Exists' }), { slices })).toEqual([['r=n/a']]);
    expect(found(tolerating({ operator: 'Equal', key: 'health', value: 'bad' }), { slices })).toEqual([['r=n/a']]);
    expect(found(tolerating({ operator: 'Equal', key: 'health', value: 'odd' }), { slices })).toBe(NONE);
    expect(found(tolerating({ operator: 'Exists', effect: 'NoExecute' }), { slices })).toBe(NONE);
  });

  it('are given up when the search takes too long', () => {
    expect(found([makeClaim('c')], { slices: two, taken: [resultOf('n', 'a')], steps: 1 })).toBe(
      'timed out trying to allocate devices',
    );
  });
});

describe('alike devices', () => {
  it('are tried once, so that many of them are not too many', () => {
    const slices = [
      makeSlice(
        'n',
        Array.from({ length: 64 }, (_, at) => model(`d${at}`, 'small')),
      ),
    ];
    const large = asking('z', { selectors: [of('large')] });
    const requests = [asking('x', { count: 8 }), asking('y', { count: 8 }), large];
    expect(found([makeClaim('c', { requests })], { slices, steps: 5_000 })).toBe(NONE);
  });
});

describe('devices that overlap', () => {
  const memory = (value: string) => [{ counterSet: 'card', counters: { memory: { value } } }];
  const sharedCounters = [{ name: 'card', counters: { memory: { value: '40Gi' } } }];
  const pool = { name: 'n', generation: 1, resourceSliceCount: 2 };
  const slices = [
    { ...makeSlice('n', [], { sharedCounters, pool }), metadata: { name: 'counters' } },
    makeSlice(
      'n',
      [
        { name: 'whole', consumesCounters: memory('40Gi') },
        { name: 'half-1', consumesCounters: memory('20Gi') },
        { name: 'half-2', consumesCounters: memory('20Gi') },
      ],
      { pool },
    ),
  ];

  it('are not allocated beyond what they have in common', () => {
    expect(found([makeClaim('c')], { slices })).toEqual([['r=n/whole']]);
    expect(found([makeClaim('c', { requests: [asking('r', { count: 2 })] })], { slices })).toEqual([
      ['r=n/half-1', 'r=n/half-2'],
    ]);
    expect(found([makeClaim('c')], { slices, taken: [resultOf('n', 'half-2')] })).toEqual([['r=n/half-1']]);
    expect(found([makeClaim('c')], { slices, taken: [resultOf('n', 'whole')] })).toBe(NONE);
  });

  it('make the pool invalid when they take of counters that it has not', () => {
    const [counters] = slices;
    for (const [counterSet, name] of [
      ['none', 'memory'],
      ['card', 'none'],
    ]) {
      const consumesCounters = [{ counterSet: counterSet!, counters: { [name!]: { value: '1' } } }];
      const wrong = makeSlice('n', [{ name: 'a', consumesCounters }], { pool });
      expect(found([makeClaim('c')], { slices: [counters!, wrong] })).toBe('invalid resource pools were encountered');
    }
  });
});

describe('devices that several may have', () => {
  const nic = (capacity: object): Device => ({
    ...{ name: 'nic', allowMultipleAllocations: true },
    capacity: { bandwidth: { value: '10G', ...capacity } },
  });
  const wanting = (name: string, bandwidth?: string) =>
    makeClaim(name, {
      requests: [asking('r', bandwidth === undefined ? {} : { capacity: { requests: { bandwidth } } })],
    });
  const share = (bandwidth: string) =>
    resultOf('n', 'nic', { shareID: 'e6f05dd8-0000-4000-8000-000000000000', consumedCapacity: { bandwidth } });

  it('are shared as far as their capacity goes', () => {
    const slices = [makeSlice('n', [nic({})])];
    const result = find([wanting('c', '4G'), wanting('d', '6G')], { slices });
    expect(result).toMatchObject([
      { devices: { results: [{ device: 'nic', consumedCapacity: { bandwidth: '4G' } }] } },
      { devices: { results: [{ device: 'nic', consumedCapacity: { bandwidth: '6G' } }] } },
    ]);
    const ids = (result as Allocation[]).map(({ devices }) => devices!.results![0]!.shareID);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(found([wanting('c', '4G')], { slices, taken: [share('6G')] })).toEqual([['r=n/nic']]);
    expect(found([wanting('c', '5G')], { slices, taken: [share('6G')] })).toBe(NONE);
    expect(found([wanting('c')], { slices, taken: [share('1G')] })).toBe(NONE);
  });

  it.each([
    ['the usual amount when nothing is asked for', { default: '1G' }, undefined, '1G'],
    ['the next step', { validRange: { min: '1G', step: '2G' } }, '4G', '5G'],
    ['no less than the least', { validRange: { min: '2G' } }, '1G', '2G'],
    ['the next of the values', { validValues: ['1G', '3G', '9G'] }, '2G', '3G'],
    ['nothing beyond the most', { validRange: { min: '1G', max: '3G' } }, '4G', null],
    ['nothing beyond the greatest value', { validValues: ['1G', '3G'] }, '4G', null],
  ])('give %s', (_, requestPolicy, asked, given) => {
    const result = find([wanting('c', asked)], { slices: [makeSlice('n', [nic({ requestPolicy })])] });
    if (given === null) expect(result).toBe(NONE);
    else expect(result).toMatchObject([{ devices: { results: [{ consumedCapacity: { bandwidth: given } }] } }]);
  });

  it('and others must have what is asked of their capacity', () => {
    const slices = [makeSlice('n', [{ name: 'small', capacity: { memory: { value: '1Gi' } } }, { name: 'none' }])];
    const wanting = (memory: string) => [
      makeClaim('c', { requests: [asking('r', { capacity: { requests: { memory } } })] }),
    ];
    expect(found(wanting('1Gi'), { slices })).toEqual([['r=n/small']]);
    expect(found(wanting('2Gi'), { slices })).toBe(NONE);
  });
});

describe('pools', () => {
  const of = (generation: number, resourceSliceCount: number) => ({
    pool: { name: 'n', generation, resourceSliceCount },
  });
  const named = (name: string, slice: Slice): Slice => ({ ...slice, metadata: { name } });

  it('are as their newest generation says, once that is whole', () => {
    const old = named('old', makeSlice('n', ['old'], of(1, 1)));
    const [one, two] = [named('1', makeSlice('n', ['a'], of(2, 2))), named('2', makeSlice('n', ['b'], of(2, 2)))];
    expect(found([makeClaim('c')], { slices: [old] })).toEqual([['r=n/old']]);
    expect(found([makeClaim('c')], { slices: [old, one] })).toBe(NONE);
    expect(found([makeClaim('c')], { slices: [two, old, one] })).toEqual([['r=n/a']]);
    const all = makeClaim('c', { requests: [asking('r', { allocationMode: 'All' })] });
    expect(found([all], { slices: [old, one] })).toBe(
      `claim default/c, request r: asks for all devices, but resource pool ${DRIVER}/n is currently being updated`,
    );
  });

  it('have every device once', () => {
    const slices = ['1', '2'].map((name) => named(name, makeSlice('n', ['a'], of(1, 2))));
    expect(found([makeClaim('c')], { slices })).toBe('invalid resource pools were encountered');
  });

  it('are reached by a node, by those that a selector chooses, by all, or device by device', () => {
    const nodeSelector = {
      nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In' as const, values: ['z'] }] }],
    };
    const zone = makeSlice('zone', ['a'], { nodeSelector });
    expect(found([makeClaim('c')], { slices: [makeSlice('other', ['a'])] })).toBe(NONE);
    expect(found([makeClaim('c')], { slices: [zone] })).toBe(NONE);
    expect(find([makeClaim('c')], { slices: [zone], labels: { zone: 'z' } })).toMatchObject([{ nodeSelector }]);
    const [everywhere] = find([makeClaim('c')], {
      slices: [makeSlice('all', ['a'], { allNodes: true })],
    }) as Allocation[];
    expect(everywhere!.nodeSelector).toBeUndefined();
    const each = makeSlice(
      'p',
      [
        { name: 'a', nodeName: 'other' },
        { name: 'b', nodeName: 'n' },
      ],
      {
        perDeviceNodeSelection: true,
      },
    );
    const only = { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] }] };
    expect(find([makeClaim('c')], { slices: [each] })).toMatchObject([
      { devices: { results: [{ device: 'b' }] }, nodeSelector: only },
    ]);
  });
});

describe('what an allocation says', () => {
  it('is what it takes to use the devices: configuration of classes and claims, and where they can be used', () => {
    const opaque = (text: string) => ({ opaque: { driver: DRIVER, parameters: { text } } });
    const classes = [makeClass('gpu', { config: [opaque('class')] }), makeClass('idle', { config: [opaque('idle')] })];
    const tolerations = [{ operator: 'Exists' as const }];
    const firstAvailable = [
      { name: 'best', deviceClassName: 'idle', allocationMode: 'ExactCount', count: 9 },
      { name: 'good', deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 1 },
    ];
    const requests = [asking('x', { tolerations }), { name: 'y', firstAvailable }];
    const config = [
      opaque('all'),
      { requests: ['x'], ...opaque('x') },
      { requests: ['y/best'], ...opaque('best') },
      { requests: ['y/good'], ...opaque('good') },
    ];
    const slices = [
      makeSlice('n', ['a', { name: 'b', bindingConditions: ['Ready'], bindingFailureConditions: ['Broken'] }]),
    ];
    expect(find([makeClaim('c', { requests, config })], { slices, classes })).toEqual([
      {
        devices: {
          results: [
            { ...resultOf('n', 'a'), request: 'x', tolerations },
            {
              ...{ ...resultOf('n', 'b'), request: 'y/good' },
              ...{ bindingConditions: ['Ready'], bindingFailureConditions: ['Broken'] },
            },
          ],
          config: [
            { source: 'FromClass', requests: ['x', 'y/good'], ...opaque('class') },
            { source: 'FromClaim', ...opaque('all') },
            { source: 'FromClaim', requests: ['x'], ...opaque('x') },
            { source: 'FromClaim', requests: ['y/good'], ...opaque('good') },
          ],
        },
        nodeSelector: {
          nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] }],
        },
      },
    ]);
  });
});
