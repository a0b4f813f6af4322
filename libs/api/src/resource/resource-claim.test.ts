import { FieldPath } from '@periplus/apimachinery';
import type { IResourceClaimStatus } from 'kubernetes-models/resource.k8s.io/v1/ResourceClaimStatus';
import { describe, expect, it } from 'vitest';
import { created, createProblems, statusProblems, updateProblems } from '../testing/objects.ts';
import { table } from '../testing/table.ts';
import type { ClaimSpec } from './claim-spec.ts';
import { type ResourceClaim, resourceClaim } from './resource-claim.ts';
import { type ResourceClaimTemplate, resourceClaimTemplate } from './resource-claim-template.ts';

type Devices = Partial<ClaimSpec['devices']>;

const exactly = { deviceClassName: 'gpu' };
const request = { name: 'one', exactly };

const aClaim = (devices: Devices = {}, status?: IResourceClaimStatus): ResourceClaim => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceClaim',
  metadata: { name: 'claim', namespace: 'shop' },
  spec: { devices: { requests: [structuredClone(request)], ...devices } },
  ...(status && { status }),
});
const withExact = (details: object): ResourceClaim =>
  aClaim({ requests: [{ name: 'one', exactly: { ...exactly, ...details } }] });
const LABEL_RULE = 'a lowercase RFC 1123 label must consist of';
const UNKNOWN_REQUEST =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";

describe('a ResourceClaim', () => {
  it('gets a mode, a count and operators', () => {
    const { spec } = created(
      resourceClaim,
      aClaim({
        requests: [
          { name: 'one', exactly: { ...exactly, tolerations: [{ key: 'a' }] } },
          { name: 'two', firstAvailable: [{ name: 'a', deviceClassName: 'gpu', allocationMode: 'All' }] },
        ],
      }),
    );
    expect(spec.devices.requests).toEqual([
      {
        name: 'one',
        exactly: { ...exactly, allocationMode: 'ExactCount', count: 1, tolerations: [{ key: 'a', operator: 'Equal' }] },
      },
      { name: 'two', firstAvailable: [{ name: 'a', deviceClassName: 'gpu', allocationMode: 'All' }] },
    ]);
  });

  it('shows in which state it is', () => {
    const allocation = { devices: { results: [] } };
    const reservedFor = [{ resource: 'pods', name: 'a', uid: '1' }];
    expect(table(resourceClaim, aClaim())).toEqual(['NAME  STATE  AGE', 'claim  pending  60m']);
    expect(table(resourceClaim, aClaim({}, { allocation }))[1]).toBe('claim  allocated  60m');
    const deleted = aClaim({}, { allocation, reservedFor });
    deleted.metadata.deletionTimestamp = '2026-11-21T11:30:00Z';
    expect(table(resourceClaim, deleted)[1]).toBe('claim  deleted,allocated,reserved  60m');
  });

  it.each<[string, ResourceClaim, string[]]>([
    ['with nothing to ask for', aClaim({ requests: [] }), []],
    [
      'that is whole',
      aClaim({
        requests: [
          request,
          {
            name: 'two',
            firstAvailable: [
              { name: 'a', deviceClassName: 'gpu', selectors: [{ cel: { expression: 'device.driver == "a"' } }] },
            ],
          },
        ],
        constraints: [
          { requests: ['one', 'two/a'], matchAttribute: 'a.example.com/numa' },
          { distinctAttribute: 'a.example.com/slot' },
        ],
        config: [{ requests: ['two'], opaque: { driver: 'a.example.com', parameters: { kind: 'Any' } } }],
      }),
      [],
    ],
    [
      'with a request of another form',
      aClaim({ requests: [{ name: 'One' }] }),
      [
        expect.stringContaining(`spec.devices.requests[0].name: Invalid value: "One": ${LABEL_RULE}`),
        'spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required',
      ] as string[],
    ],
    [
      'with a request of both forms',
      aClaim({ requests: [{ ...request, firstAvailable: [{ name: 'a', ...exactly }] }] }),
      [
        'spec.devices.requests[0]: Invalid value: null: exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set',
      ],
    ],
    [
      'with two requests of one name',
      aClaim({ requests: [request, request] }),
      ['spec.devices.requests[1]: Duplicate value: "one"'],
    ],
    [
      'with too many requests',
      aClaim({ requests: Array.from({ length: 33 }, (_, i) => ({ name: `r${i}`, exactly })) }),
      ['spec.devices.requests: Too many: 33: must have at most 32 items'],
    ],
    [
      'with too many subrequests',
      aClaim({
        requests: [
          { name: 'one', firstAvailable: Array.from({ length: 9 }, (_, i) => ({ name: `r${i}`, ...exactly })) },
        ],
      }),
      ['spec.devices.requests[0].firstAvailable: Too many: 9: must have at most 8 items'],
    ],
    [
      'without a class',
      withExact({ deviceClassName: '' }),
      ['spec.devices.requests[0].exactly.deviceClassName: Required value'],
    ],
    [
      'with a count of all',
      withExact({ allocationMode: 'All', count: 2 }),
      ["spec.devices.requests[0].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'"],
    ],
    [
      'with a count below one',
      withExact({ count: -1 }),
      ['spec.devices.requests[0].exactly.count: Invalid value: -1: must be greater than zero'],
    ],
    [
      'with another mode',
      withExact({ allocationMode: 'Some' }),
      [
        'spec.devices.requests[0].exactly.allocationMode: Unsupported value: "Some": supported values: "All", "ExactCount"',
      ],
    ],
    [
      'with an empty selector',
      withExact({ selectors: [{}] }),
      ['spec.devices.requests[0].exactly.selectors[0].cel: Required value'],
    ],
    [
      'with a selector that is no expression',
      withExact({ selectors: [{ cel: { expression: 'dev.driver' } }] }),
      [
        "spec.devices.requests[0].exactly.selectors[0].cel.expression: Invalid value: \"dev.driver\": compilation failed: ERROR: <input>:1:1: undeclared reference to 'dev' (in container '')\n | dev.driver\n | ^",
      ],
    ],
    [
      'with a selector that says nothing of yes or no',
      withExact({ selectors: [{ cel: { expression: 'device.driver' } }] }),
      [
        'spec.devices.requests[0].exactly.selectors[0].cel.expression: Invalid value: "device.driver": must evaluate to bool or the unknown type, not string',
      ],
    ],
    [
      'with a selector that is too long',
      withExact({ selectors: [{ cel: { expression: `true${' '.repeat(10 * 1024)}` } }] }),
      ['spec.devices.requests[0].exactly.selectors[0].cel.expression: Too long: may not be more than 10240 bytes'],
    ],
    [
      'with a selector that takes too long',
      withExact({
        selectors: [
          {
            cel: {
              expression: Array.from({ length: 5 }).reduce<string>(
                (body, _, i) => `device.attributes.all(v${i}, ${body})`,
                'true',
              ),
            },
          },
        ],
      }),
      ['spec.devices.requests[0].exactly.selectors[0].cel.expression: Forbidden: too complex, exceeds cost limit'],
    ],
    [
      'with tolerations of nothing',
      withExact({
        tolerations: [
          { operator: 'Exists', value: 'a' },
          { key: 'a', operator: 'Like' },
          { key: '!', effect: 'PreferNoSchedule' },
        ],
      }),
      [
        'spec.devices.requests[0].exactly.tolerations[0].value: Invalid value: "a": must be empty for operator `Exists`',
        'spec.devices.requests[0].exactly.tolerations[1].operator: Unsupported value: "Like": supported values: "Equal", "Exists"',
        expect.stringContaining(
          'spec.devices.requests[0].exactly.tolerations[2].key: Invalid value: "!": name part must consist of',
        ),
        'spec.devices.requests[0].exactly.tolerations[2].effect: Unsupported value: "PreferNoSchedule": supported values: "NoExecute", "NoSchedule", "None"',
      ] as string[],
    ],
    [
      'with constraints of nothing',
      aClaim({
        constraints: [
          { requests: ['two'], matchAttribute: 'numa' },
          {},
          { requests: ['one', 'one'], matchAttribute: 'a/b' },
        ],
      }),
      [
        `spec.devices.constraints[0].requests[0]: Invalid value: "two": ${UNKNOWN_REQUEST}`,
        'spec.devices.constraints[0].matchAttribute: Invalid value: "numa": a fully qualified name must be a domain and a name separated by a slash',
        'spec.devices.constraints[1]: Required value: exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set',
        'spec.devices.constraints[2].requests[1]: Duplicate value: "one"',
      ],
    ],
    [
      'with configurations of nothing',
      aClaim({
        config: [
          {},
          { requests: ['one/a'], opaque: { driver: '', parameters: [] as never } },
          { opaque: { driver: 'a', parameters: { text: 'x'.repeat(10 * 1024) } } },
        ],
      }),
      [
        'spec.devices.config[0].opaque: Required value',
        `spec.devices.config[1].requests[0]: Invalid value: "one/a": ${UNKNOWN_REQUEST}`,
        'spec.devices.config[1].opaque.driver: Required value',
        'spec.devices.config[1].opaque.parameters: Invalid value: "<value omitted>": must be a valid JSON object',
        'spec.devices.config[2].opaque.parameters: Too long: may not be more than 10240 bytes',
      ],
    ],
  ])('%s', (_, claim, problems) => {
    expect(createProblems(resourceClaim, claim)).toEqual(problems);
  });

  it('does not have so many selectors that checking them takes long', () => {
    const selectors = (expression: string) => Array.from({ length: 32 }, () => ({ cel: { expression } }));
    const claimOf = (expression: string): ResourceClaim =>
      aClaim({
        requests: Array.from({ length: 32 }, (_, i) => ({
          name: `r${i}`,
          exactly: { ...exactly, selectors: selectors(expression) },
        })),
      });
    const detail = 'Forbidden: the selectors may be at most 512, and have at most 131072 bytes together';
    expect(createProblems(resourceClaim, claimOf('true'))).toEqual([`spec.devices.requests: ${detail}`]);
    const long = withExact({ selectors: selectors(`true${' '.repeat(5_000)}`) });
    expect(createProblems(resourceClaim, long)).toEqual([`spec.devices.requests: ${detail}`]);
  });

  it('asks for the same forever', () => {
    expect(
      updateProblems(resourceClaim, aClaim(), (claim) => Object.assign(claim.metadata, { labels: { a: 'b' } })),
    ).toEqual([]);
    const problems = updateProblems(resourceClaim, aClaim(), (claim) =>
      Object.assign(claim.spec.devices, { requests: [] }),
    );
    expect(problems).toEqual([expect.stringMatching(/^spec: Invalid value: .*: field is immutable$/)]);
  });
});

describe('the status of a ResourceClaim', () => {
  const result = { request: 'one', driver: 'a.example.com', pool: 'node-1', device: 'gpu-0' };
  const allocation = { devices: { results: [result] } };
  const consumer = { resource: 'pods', name: 'a', uid: '1' };
  const { request: _, ...device } = result;
  /** What setting `after` is refused for, when there was `before`. */
  const problems = (after: IResourceClaimStatus, before: IResourceClaimStatus = {}, isDeleted = false): string[] => {
    const change = (copy: ResourceClaim): void => {
      copy.status = structuredClone(after);
    };
    const claim = aClaim();
    const old = created(resourceClaim, claim);
    old.status = before;
    old.metadata.resourceVersion = '1';
    if (isDeleted) old.metadata.deletionTimestamp = '2026-11-21T11:30:00Z';
    if (Object.keys(before).length === 0 && !isDeleted) return statusProblems(resourceClaim, claim, change);
    const now = structuredClone(old);
    change(now);
    resourceClaim.prepareForStatusUpdate(now, old);
    return resourceClaim
      .validateStatusUpdate(now, old, new FieldPath())
      .map(({ field, message }) => `${field}: ${message}`);
  };

  it.each<[string, IResourceClaimStatus, string[]]>([
    ['an allocation with a consumer', { allocation, reservedFor: [consumer] }, []],
    [
      'what a driver says',
      {
        allocation,
        devices: [
          { ...device, data: { a: 1 }, networkData: { interfaceName: 'eth0', ips: ['10.9.8.7/24', '2001:db8::1/64'] } },
        ],
      },
      [],
    ],
    [
      'a consumer of nothing',
      { reservedFor: [consumer] },
      ['status.reservedFor: Forbidden: may not be specified when `allocated` is not set'],
    ],
    [
      'consumers that are none',
      { allocation, reservedFor: [{ resource: '', name: '', uid: '1' }, consumer] },
      [
        'status.reservedFor[0].resource: Required value',
        'status.reservedFor[0].name: Required value',
        'status.reservedFor[1]: Duplicate value: "1"',
      ],
    ],
    [
      'too many consumers',
      { allocation, reservedFor: Array.from({ length: 257 }, (_, i) => ({ ...consumer, uid: `${i}` })) },
      ['status.reservedFor: Too many: 257: must have at most 256 items'],
    ],
    [
      'devices for nobody',
      {
        allocation: { devices: { results: [{ request: 'two', driver: '', pool: '', device: 'gpu_0', shareID: 'x' }] } },
      },
      [
        `status.allocation.devices.results[0].request: Invalid value: "two": ${UNKNOWN_REQUEST}`,
        'status.allocation.devices.results[0].driver: Required value',
        'status.allocation.devices.results[0].pool: Required value',
        expect.stringContaining(`status.allocation.devices.results[0].device: Invalid value: "gpu_0": ${LABEL_RULE}`),
        'status.allocation.devices.results[0].shareID: Invalid value: "x": error validating uid: invalid UUID length: 1',
      ] as string[],
    ],
    [
      'too many devices',
      { allocation: { devices: { results: Array.from({ length: 33 }, () => result) } } },
      ['status.allocation.devices.results: Too many: 33: must have at most 32 items'],
    ],
    [
      'nodes that are none',
      { allocation: { ...allocation, nodeSelector: { nodeSelectorTerms: [] } } },
      ['status.allocation.nodeSelector.nodeSelectorTerms: Required value: must have at least one node selector term'],
    ],
    [
      'a configuration from nowhere',
      {
        allocation: {
          devices: { results: [result], config: [{ source: '' as never, opaque: { driver: 'a', parameters: {} } }] },
        },
      },
      ['status.allocation.devices.config[0].source: Required value'],
    ],
    [
      'conditions of binding that are half',
      { allocation: { devices: { results: [{ ...result, bindingConditions: ['a', 'a'] }] } } },
      [
        'status.allocation.devices.results[0].bindingConditions[1]: Duplicate value: "a"',
        'status.allocation.devices.results[0].bindingFailureConditions: Invalid value: []: bindingFailureConditions are required to use bindingConditions',
      ],
    ],
    [
      'what another driver says',
      { allocation, devices: [{ ...device, device: 'gpu-1', networkData: { ips: ['10.9.8.7', '10.9.8.7/024'] } }] },
      [
        'status.devices[0]: Invalid value: a.example.com/node-1/gpu-1: must be an allocated device in the claim',
        'status.devices[0].networkData.ips[0]: Invalid value: "10.9.8.7": must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)',
        'status.devices[0].networkData.ips[1]: Invalid value: "10.9.8.7/024": must be in canonical form ("10.9.8.7/24")',
      ],
    ],
  ])('%s', (_, status, expected) => {
    expect(problems(status)).toEqual(expected);
  });

  it('keeps what was given, until it is given back', () => {
    const other = { devices: { results: [{ ...result, device: 'gpu-1' }] } };
    expect(problems({ allocation, reservedFor: [consumer] }, { allocation })).toEqual([]);
    expect(problems({}, { allocation, reservedFor: [consumer] })).toEqual([]);
    expect(problems({ allocation: other }, { allocation })).toEqual([
      expect.stringMatching(/^status\.allocation: Invalid value: .*: field is immutable$/),
    ]);
  });

  it('takes no more consumers of a claim that is to go', () => {
    const second = { ...consumer, uid: '2' };
    const before = { allocation, reservedFor: [consumer, second] };
    expect(problems({ allocation, reservedFor: [second] }, before, true)).toEqual([]);
    expect(problems({ allocation, reservedFor: [consumer, { ...consumer, uid: '3' }] }, before, true)).toEqual([
      'status.reservedFor: Forbidden: new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set',
    ]);
  });

  it('forgets what was said of devices that were given back, and leaves the metadata alone', () => {
    const old = {
      ...created(resourceClaim, aClaim()),
      status: { allocation, devices: [{ ...device, conditions: [] }] },
    };
    const now = structuredClone(old) as ResourceClaim;
    now.metadata.finalizers = ['example.com/mine'];
    now.status = { devices: old.status.devices };
    resourceClaim.prepareForStatusUpdate(now, old);
    expect(now.status).toEqual({});
    expect(now.metadata.finalizers).toBeUndefined();
  });
});

describe('a ResourceClaimTemplate', () => {
  const aTemplate = (spec: Partial<ResourceClaimTemplate['spec']> = {}): ResourceClaimTemplate => ({
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaimTemplate',
    metadata: { name: 'template', namespace: 'shop' },
    spec: { spec: { devices: { requests: [structuredClone(request)] } }, ...spec },
  });

  it('has labels and annotations for its claims, and nothing else', () => {
    expect(createProblems(resourceClaimTemplate, aTemplate({ metadata: { labels: { app: 'web' } } }))).toEqual([]);
    expect(
      createProblems(resourceClaimTemplate, aTemplate({ metadata: { labels: { '!': 'web' }, name: 'x' } })),
    ).toEqual([
      expect.stringContaining('spec.metadata.labels: Invalid value: "!"'),
      'spec.metadata.name: Forbidden: cannot be set',
    ]);
  });

  it('is checked as its claims will be, and does not change', () => {
    const wrong = aTemplate({ spec: { devices: { requests: [{ name: 'one', exactly: { deviceClassName: '' } }] } } });
    expect(createProblems(resourceClaimTemplate, wrong)).toEqual([
      'spec.spec.devices.requests[0].exactly.deviceClassName: Required value',
    ]);
    const change = (copy: ResourceClaimTemplate): void => {
      copy.spec.metadata = { labels: { app: 'web' } };
    };
    expect(updateProblems(resourceClaimTemplate, aTemplate(), change)).toEqual([
      expect.stringMatching(/^spec: Invalid value: .*: field is immutable$/),
    ]);
  });
});
