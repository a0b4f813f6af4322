import { describe, expect, it } from 'vitest';
import { pod } from '../core/pod.ts';
import { aPod, aPodWith, created, createProblems, statusProblems } from '../testing/objects.ts';

const resourceClaims = [
  { name: 'gpu', resourceClaimName: 'one' },
  { name: 'nic', resourceClaimTemplateName: 'two' },
];
const PLACE = 'spec.containers[0].resources.claims';

describe('the claims of a container', () => {
  it.each<[string, { name: string; request?: string }[], string[]]>([
    ['all of them', [{ name: 'gpu' }, { name: 'nic' }], []],
    [
      'requests of one',
      [
        { name: 'gpu', request: 'a' },
        { name: 'gpu', request: 'b' },
      ],
      [],
    ],
    [
      'one that the pod does not have',
      [{ name: 'disk' }],
      [`${PLACE}[0]: Not found: "disk": must be one of the names in pod.spec.resourceClaims: gpu, nic`],
    ],
    ['no name', [{ name: '' }], [`${PLACE}[0]: Required value`]],
    [
      'a request twice',
      [
        { name: 'gpu', request: 'a' },
        { name: 'gpu', request: 'a' },
      ],
      [`${PLACE}[1]: Duplicate value: "gpu/a"`],
    ],
    [
      'a request, and then all of it',
      [{ name: 'gpu', request: 'a' }, { name: 'gpu' }],
      [`${PLACE}[1]: Duplicate value: "gpu"`],
    ],
    [
      'all of it, and then a request',
      [{ name: 'gpu' }, { name: 'gpu', request: 'a' }],
      [`${PLACE}[1]: Duplicate value: "gpu"`],
    ],
    [
      'a request without a name',
      [{ name: 'gpu', request: 'A' }],
      [expect.stringContaining(`${PLACE}[0].request: Invalid value: "A": a lowercase RFC 1123 label`)] as string[],
    ],
  ])('may be %s', (_, claims, problems) => {
    expect(createProblems(pod, aPodWith({ resources: { claims } }, { resourceClaims }))).toEqual(problems);
  });

  it('are of a pod that has some', () => {
    expect(createProblems(pod, aPodWith({ resources: { claims: [{ name: 'gpu' }] } }))).toEqual([
      `${PLACE}[0]: Not found: "gpu": must be one of the names in pod.spec.resourceClaims which is empty`,
    ]);
  });

  it('are not for static pods', () => {
    const fixed = aPod({ resourceClaims, nodeName: 'a' });
    fixed.metadata.annotations = { 'kubernetes.io/config.mirror': 'x' };
    expect(createProblems(pod, fixed)).toContain('<nil>: Forbidden: static pods do not support resource claims');
  });
});

describe('the claims in the status of a pod', () => {
  const problems = (status: object, spec = {}): string[] =>
    statusProblems(pod, aPod({ resourceClaims, ...spec }), (copy) => {
      copy.status = { ...created(pod, aPod()).status, ...status };
    });

  it('are those of its spec', () => {
    const made = { name: 'nic', resourceClaimName: 'web-nic-x7' };
    expect(problems({ resourceClaimStatuses: [made, { name: 'gpu' }] })).toEqual([]);
    expect(problems({ resourceClaimStatuses: [made, made, { name: 'disk', resourceClaimName: '!' }] })).toEqual([
      'status.resourceClaimStatuses[1].name: Duplicate value: "nic"',
      'status.resourceClaimStatuses[2].name: Invalid value: "disk": must match the name of an entry in `spec.resourceClaims`',
      expect.stringContaining('status.resourceClaimStatuses[2].resourceClaimName: Invalid value: "!"'),
    ]);
  });

  it('are for the extended resources of its containers', () => {
    const spec = { containers: [{ name: 'main', image: 'x', resources: { limits: { 'example.com/gpu': '1' } } }] };
    const mapping = { containerName: 'main', resourceName: 'example.com/gpu', requestName: 'container-0-request-0' };
    const status = (requestMappings: object[], resourceClaimName = 'one') => ({
      extendedResourceClaimStatus: { requestMappings, resourceClaimName },
    });
    const PLACE = 'status.extendedResourceClaimStatus';
    expect(problems(status([mapping]), spec)).toEqual([]);
    expect(problems(status([], ''), spec)).toEqual([
      `${PLACE}.requestMappings: Required value: at least one request mapping is required`,
      `${PLACE}.resourceClaimName: Required value`,
    ]);
    expect(
      problems(status([mapping, mapping, { ...mapping, containerName: 'x' }, { ...mapping, resourceName: 'x' }]), spec),
    ).toEqual([
      `${PLACE}.requestMappings[1].containerName: Duplicate value: "main"`,
      `${PLACE}.requestMappings[1].resourceName: Duplicate value: "example.com/gpu"`,
      `${PLACE}.requestMappings[1].requestName: Duplicate value: "container-0-request-0"`,
      `${PLACE}.requestMappings[2].containerName: Invalid value: "x": must match the name of an entry in spec.initContainers.name or spec.containers.name`,
      `${PLACE}.requestMappings[3].resourceName: Invalid value: "x": must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests`,
    ]);
  });
});
