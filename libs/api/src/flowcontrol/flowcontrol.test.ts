import { describe, expect, it } from 'vitest';
import { created, createProblems, statusProblems } from '../testing/objects.ts';
import { table } from '../testing/table.ts';
import { type FlowSchema, flowSchema } from './flow-schema.ts';
import { everythingOf, MANDATORY_FLOW_SCHEMAS, MANDATORY_PRIORITY_LEVELS } from './mandatory.ts';
import { type PriorityLevelConfiguration, priorityLevelConfiguration } from './priority-level-configuration.ts';

const apiVersion = 'flowcontrol.apiserver.k8s.io/v1';
const aSchema = (spec: Partial<FlowSchema['spec']> = {}, name = 'mine'): FlowSchema => ({
  apiVersion,
  kind: 'FlowSchema',
  metadata: { name },
  spec: { priorityLevelConfiguration: { name: 'workload-low' }, rules: [everythingOf('team')], ...spec },
});
const withRule = (rule: object): Partial<FlowSchema['spec']> => ({ rules: [{ ...everythingOf('team'), ...rule }] });
const aLevel = (spec: PriorityLevelConfiguration['spec'], name = 'mine'): PriorityLevelConfiguration => ({
  apiVersion,
  kind: 'PriorityLevelConfiguration',
  metadata: { name },
  spec,
});
const queued = (queuing: object): PriorityLevelConfiguration['spec'] => ({
  type: 'Limited',
  limited: { limitResponse: { type: 'Queue', queuing } },
});
const QUEUING = 'spec.limited.limitResponse.queuing';

describe('a flow schema', () => {
  it.each<[string, Partial<FlowSchema['spec']>, string[]]>([
    ['of everything a group does', {}, []],
    [
      'before all others',
      { matchingPrecedence: 1 },
      [`spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1`],
    ],
    [
      'after all others',
      { matchingPrecedence: 10_001 },
      ['spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000'],
    ],
    [
      'with odd choices',
      { distinguisherMethod: { type: 'ByMoon' }, priorityLevelConfiguration: { name: '' } },
      [
        'spec.distinguisherMethod.type: Unsupported value: {"type":"ByMoon"}: supported values: "ByNamespace", "ByUser"',
        'spec.priorityLevelConfiguration.name: Required value: must reference a priority level',
      ],
    ],
    [
      'of nobody, about nothing',
      { rules: [{ subjects: [] }] },
      [
        'spec.rules[0].subjects: Required value: subjects must contain at least one value',
        'spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty',
      ],
    ],
    [
      'of odd subjects',
      withRule({
        subjects: [
          { kind: 'Cat' },
          { kind: 'User', group: { name: 'x' } },
          { kind: 'Group', group: { name: '' } },
          { kind: 'ServiceAccount', serviceAccount: { name: '*', namespace: '' } },
        ],
      }),
      [
        'spec.rules[0].subjects[0].kind: Unsupported value: "Cat": supported values: "Group", "ServiceAccount", "User"',
        "spec.rules[0].subjects[1].user: Required value: user is required when subject kind is 'User'",
        "spec.rules[0].subjects[1].group: Forbidden: group is forbidden when subject kind is not 'Group'",
        'spec.rules[0].subjects[2].group.name: Required value',
        'spec.rules[0].subjects[3].serviceAccount.namespace: Required value: must specify namespace for service account',
      ],
    ],
    [
      'about odd resources',
      withRule({
        resourceRules: [{ verbs: ['*', 'get'], apiGroups: [], resources: ['*', 'pods'], namespaces: ['A'] }],
      }),
      [
        `spec.rules[0].resourceRules[0].verbs: Invalid value: ["*","get"]: if '*' is present, must not specify other verbs`,
        'spec.rules[0].resourceRules[0].apiGroups: Required value: resource rules must supply at least one api group',
        `spec.rules[0].resourceRules[0].resources: Invalid value: ["*","pods"]: if '*' is present, must not specify other resources`,
        expect.stringMatching(
          /^spec.rules\[0\].resourceRules\[0\].namespaces\[0\]: Invalid value: "A": each member of this list must be '\*' or a DNS-1123 label; /,
        ) as never,
      ],
    ],
    [
      'about resources nowhere',
      withRule({ resourceRules: [{ verbs: ['look'], apiGroups: [''], resources: ['pods'] }] }),
      [
        'spec.rules[0].resourceRules[0].verbs: Unsupported value: ["look"]: supported values: "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"',
        'spec.rules[0].resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace',
      ],
    ],
    [
      'about odd paths',
      withRule({
        nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/', '/a/*', 'a', '/a b', '//', '/*/a', ''] }],
      }),
      [
        'spec.rules[0].nonResourceRules[0].nonResourceURLs[2]: Invalid value: "a": must start with slash',
        'spec.rules[0].nonResourceRules[0].nonResourceURLs[3]: Invalid value: "/a b": must not contain white-space',
        'spec.rules[0].nonResourceRules[0].nonResourceURLs[4]: Invalid value: "//": must not contain double slash',
        'spec.rules[0].nonResourceRules[0].nonResourceURLs[5]: Invalid value: "/*/a": wildcard can only do suffix matching',
        'spec.rules[0].nonResourceRules[0].nonResourceURLs[6]: Invalid value: "": must not be empty',
      ],
    ],
  ])('%s', (_what, spec, expected) => {
    expect(createProblems(flowSchema, aSchema(spec))).toEqual(expected);
  });

  it.each(Object.entries(MANDATORY_FLOW_SCHEMAS))('%s stays as it is', (name, spec) => {
    expect(createProblems(flowSchema, aSchema(structuredClone(spec), name))).toEqual([]);
    const changed = { ...structuredClone(spec), priorityLevelConfiguration: { name: 'other' } };
    expect(createProblems(flowSchema, aSchema(changed, name))).toEqual([
      expect.stringMatching(new RegExp(`^spec: Invalid value: .*: spec of '${name}' must equal the fixed value$`)),
    ]);
  });

  it('prints where its requests wait', () => {
    expect(created(flowSchema, aSchema()).metadata.generation).toBe(1);
    const status = { conditions: [{ type: 'Dangling', status: 'True' }] };
    expect(table(flowSchema, { ...aSchema({ distinguisherMethod: { type: 'ByUser' } }), status })).toEqual([
      'NAME  PRIORITYLEVEL  MATCHINGPRECEDENCE  DISTINGUISHERMETHOD  AGE  MISSINGPL',
      'mine  workload-low  1000  ByUser  60m  True',
    ]);
    expect(table(flowSchema, aSchema())[1]).toBe('mine  workload-low  1000  <none>  60m  ?');
  });

  it('has each condition once', () => {
    const twice = (copy: FlowSchema) => (copy.status = { conditions: [{ type: 'A' }, { type: 'A' }, {}] });
    expect(statusProblems(flowSchema, aSchema(), twice)).toEqual([
      'status.conditions[1].type: Duplicate value: "A"',
      'status.conditions[2].type: Required value: must not be empty',
    ]);
  });
});

describe('a priority level', () => {
  it.each<[string, PriorityLevelConfiguration['spec'], string[]]>([
    ['that refuses', { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } }, []],
    ['that queues', queued({}), []],
    [
      'that nothing limits',
      { type: 'Exempt' },
      ["spec.type: Invalid value: \"Exempt\": type must be 'Exempt' if and only if name is 'exempt'"],
    ],
    ['of an odd type', { type: 'Odd' }, ['spec.type: Unsupported value: "Odd": supported values: "Exempt", "Limited"']],
    ['without limits', { type: 'Limited' }, ['spec.limited: Required value: must not be empty when type is Limited']],
    [
      'with odd limits',
      {
        type: 'Limited',
        exempt: {},
        limited: {
          nominalConcurrencyShares: -1,
          lendablePercent: 101,
          borrowingLimitPercent: -1,
          limitResponse: { type: 'Odd' },
        },
      },
      [
        'spec.exempt: Forbidden: must be nil if the type is not Exempt',
        'spec.limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer',
        'spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive',
        'spec.limited.limitResponse.type: Unsupported value: "Odd": supported values: "Queue", "Reject"',
        'spec.limited.borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative integer',
      ],
    ],
    [
      'with odd queues',
      queued({ queues: 2, handSize: 3, queueLengthLimit: -1 }),
      [
        `${QUEUING}.queueLengthLimit: Invalid value: -1: must be positive`,
        `${QUEUING}.handSize: Invalid value: 3: should not be greater than queues (2)`,
      ],
    ],
    [
      'that deals too many queues',
      queued({ queues: 512, handSize: 8 }),
      [
        `${QUEUING}.handSize: Invalid value: 8: required entropy bits of deckSize 512 and handSize 8 should not be greater than 60`,
      ],
    ],
  ])('%s', (_what, spec, expected) => {
    expect(createProblems(priorityLevelConfiguration, aLevel(spec))).toEqual(expected);
  });

  it.each(Object.entries(MANDATORY_PRIORITY_LEVELS))('%s stays as it is', (name, spec) => {
    expect(createProblems(priorityLevelConfiguration, aLevel(structuredClone(spec), name))).toEqual([]);
  });

  it('lets the shares of exempt requests be changed, and nothing else', () => {
    const exempt = { type: 'Exempt', exempt: { nominalConcurrencyShares: 9 } };
    expect(createProblems(priorityLevelConfiguration, aLevel(exempt, 'exempt'))).toEqual([]);
    const limited = { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } };
    expect(createProblems(priorityLevelConfiguration, aLevel(limited, 'catch-all'))).toEqual([
      expect.stringMatching(/^spec: Invalid value: .*: spec of 'catch-all' must equal the fixed value$/),
    ]);
  });

  it('prints its queues', () => {
    expect(table(priorityLevelConfiguration, aLevel(queued({})))).toEqual([
      'NAME  TYPE  NOMINALCONCURRENCYSHARES  QUEUES  HANDSIZE  QUEUELENGTHLIMIT  AGE',
      'mine  Limited  30  64  8  50  60m',
    ]);
    expect(table(priorityLevelConfiguration, aLevel({ type: 'Exempt' }, 'exempt'))[1]).toBe(
      'exempt  Exempt  <none>  <none>  <none>  <none>  60m',
    );
  });
});
