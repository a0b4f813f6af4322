import { describe, expect, it } from 'vitest';
import { aService, created, createProblems, updateProblems } from '../testing/objects.ts';
import { type Service, service } from './service.ts';

type Spec = Partial<Service['spec']>;
const headless: Spec = { clusterIP: 'None', selector: {} };

describe('the families of a Service, in a cluster of IPv4', () => {
  it.each<[string, Spec, string[], string]>([
    ['one', {}, ['IPv4'], 'SingleStack'],
    ['what is there, for who would like both', { ipFamilyPolicy: 'PreferDualStack' }, ['IPv4'], 'PreferDualStack'],
    ['that of its address', { clusterIP: '10.96.0.9' }, ['IPv4'], 'SingleStack'],
    ['both, of a list that others write', headless, ['IPv4', 'IPv6'], 'RequireDualStack'],
    [
      'both in the order that is asked for',
      { ...headless, ipFamilies: ['IPv6'], ipFamilyPolicy: 'PreferDualStack' },
      ['IPv6', 'IPv4'],
      'PreferDualStack',
    ],
    ['one of these, if only one is wanted', { ...headless, ipFamilyPolicy: 'SingleStack' }, ['IPv4'], 'SingleStack'],
    ['only IPv4, if headless with a selector', { clusterIP: 'None', selector: { a: 'b' } }, ['IPv4'], 'SingleStack'],
  ])('are %s', (_what, spec, families, policy) => {
    const { ipFamilies, ipFamilyPolicy } = created(service, aService(spec)).spec;
    expect({ ipFamilies, ipFamilyPolicy }).toEqual({ ipFamilies: families, ipFamilyPolicy: policy });
    expect(createProblems(service, aService(spec))).toEqual([]);
  });

  it.each<[Spec, string[]]>([
    [
      { ipFamilyPolicy: 'RequireDualStack' },
      [
        'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
      ],
    ],
    [
      { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6', 'IPv4'] },
      [
        'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
        'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
      ],
    ],
    [
      { ipFamilyPolicy: 'PreferDualStack', ipFamilies: ['IPv4', 'IPv6'] },
      ['spec.ipFamilies[1]: Invalid value: "IPv6": not configured on this cluster'],
    ],
    [
      { ipFamilies: ['IPv4', 'IPv6'] },
      [
        "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
      ],
    ],
    [
      { clusterIPs: ['10.96.0.9', 'fd00::9'], clusterIP: '10.96.0.9' },
      [
        "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified",
        'spec.clusterIPs[1]: Invalid value: ["10.96.0.9","fd00::9"]: IPv6 is not configured on this cluster',
      ],
    ],
    [
      { clusterIP: 'fd00::9' },
      ['spec.clusterIPs[0]: Invalid value: ["fd00::9"]: IPv6 is not configured on this cluster'],
    ],
    [
      { clusterIP: 'fd00::9', ipFamilies: ['IPv4'] },
      ['spec.clusterIPs[0]: Invalid value: "fd00::9": expected an IPv4 value as indicated by `ipFamilies[0]`'],
    ],
    [
      { clusterIP: '10.96.0.9', ipFamilies: ['IPv6'] },
      ['spec.clusterIPs[0]: Invalid value: "10.96.0.9": expected an IPv6 value as indicated by `ipFamilies[0]`'],
    ],
    [
      { clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9', '10.96.0.10'] },
      [
        'spec.clusterIPs: Invalid value: ["10.96.0.9","10.96.0.10"]: may specify no more than one IP for each IP family',
      ],
    ],
    [
      { ipFamilies: ['IPv4', 'IPv4', 'IPv5'] as never, ipFamilyPolicy: 'Any' as never },
      [
        'spec.ipFamilies[1]: Duplicate value: "IPv4"',
        'spec.ipFamilies[2]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"',
        'spec.ipFamilyPolicy: Unsupported value: "Any": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"',
      ],
    ],
  ])('may not be %j', (spec, expected) => {
    expect(createProblems(service, aService(spec))).toEqual(expected);
  });

  it('are refused before anything else is', () => {
    const spec: Spec = { clusterIP: 'fd00::9', sessionAffinity: 'Any' as never };
    expect(createProblems(service, aService(spec))).toHaveLength(1);
  });

  it('stay what they were when an update says nothing of them', () => {
    const old = created(service, aService({ ipFamilyPolicy: 'PreferDualStack' }));
    const now = structuredClone(old);
    delete now.spec.ipFamilyPolicy;
    delete now.spec.ipFamilies;
    service.prepareForUpdate(now, old);
    expect(now.spec).toMatchObject({ ipFamilyPolicy: 'PreferDualStack', ipFamilies: ['IPv4'] });
  });

  it('become one when only one is asked for, and in no other way', () => {
    const old = created(service, aService(headless));
    const now = structuredClone(old);
    now.spec.ipFamilyPolicy = 'SingleStack';
    service.prepareForUpdate(now, old);
    expect(now.spec.ipFamilies).toEqual(['IPv4']);
    const withAddress = aService({ ipFamilies: ['IPv4'], ipFamilyPolicy: 'PreferDualStack' });
    expect(updateProblems(service, withAddress, ({ spec }) => spec.ipFamilies!.push('IPv6'))).toEqual([
      'spec.ipFamilies[1]: Invalid value: "IPv6": not configured on this cluster',
    ]);
  });
});
