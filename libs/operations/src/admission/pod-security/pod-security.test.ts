import type { Pod } from '@periplus/api';
import { describe, expect, it } from 'vitest';
import { violationsOf } from './evaluate.ts';
import { type Level, labelProblems, policyOf, shown } from './policy.ts';

type Spec = Partial<Pod['spec']>;
type Context = NonNullable<Pod['spec']['containers'][number]['securityContext']>;

const LATEST = Number.POSITIVE_INFINITY;
const named = (name: string, securityContext?: Context) => ({
  name,
  image: 'x',
  ...(securityContext && { securityContext }),
});
const violations = (level: Level, spec: Spec, minor = LATEST, annotations = {}): string =>
  violationsOf({ level, minor }, { metadata: { annotations }, spec: { containers: [named('a')], ...spec } });

/** What the restricted level wants. */
const GOOD: Context = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};

describe('the baseline level', () => {
  it.each<[string, Spec, string]>([
    ['has nothing against an ordinary pod', {}, ''],
    [
      'forbids the namespaces of the node',
      { hostNetwork: true, hostPID: true, hostIPC: true },
      'host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)',
    ],
    [
      'forbids privileges, whoever has them',
      { containers: [named('a', { privileged: true })], initContainers: [named('i', { privileged: true })] },
      'privileged (containers "i", "a" must not set securityContext.privileged=true)',
    ],
    [
      'forbids unusual capabilities',
      { containers: [named('a', { capabilities: { add: ['SYS_ADMIN', 'CHOWN', 'NET_RAW'] } })] },
      'non-default capabilities (container "a" must not include "NET_RAW", "SYS_ADMIN" in securityContext.capabilities.add)',
    ],
    [
      'forbids paths of the node',
      {
        volumes: [
          { name: 'v', hostPath: { path: '/' } },
          { name: 'w', emptyDir: {} },
        ],
      },
      'hostPath volumes (volume "v")',
    ],
    [
      'forbids ports of the node',
      {
        containers: [
          { ...named('a'), ports: [{ containerPort: 1, hostPort: 20 }] },
          { ...named('b'), ports: [{ containerPort: 1, hostPort: 100 }, { containerPort: 2 }] },
        ],
      },
      'hostPort (containers "a", "b" use hostPorts 100, 20)',
    ],
    [
      'forbids probes of others',
      { containers: [{ ...named('a'), livenessProbe: { httpGet: { port: 80, host: 'example.com' } } }] },
      'probe or lifecycle host (container "a" uses probe or lifecycle host "example.com")',
    ],
    [
      'forbids a bare /proc',
      { containers: [named('a', { procMount: 'Unmasked' })] },
      'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
    ],
    [
      'but not to who has users of its own',
      { hostUsers: false, containers: [named('a', { procMount: 'Unmasked' })] },
      '',
    ],
    [
      'forbids to choose SELinux contexts',
      {
        securityContext: { seLinuxOptions: { type: 'bar', user: 'u' } },
        containers: [named('b', { seLinuxOptions: { type: 'foo', role: 'r' } })],
      },
      'seLinuxOptions (pod and container "b" set forbidden securityContext.seLinuxOptions: types "bar", "foo"; user may not be set; role may not be set)',
    ],
    [
      'forbids to go unconfined',
      {
        securityContext: { seccompProfile: { type: 'Unconfined' } },
        containers: [named('a', { appArmorProfile: { type: 'Unconfined' } })],
      },
      'forbidden AppArmor profile (container "a" must not set AppArmor profile type to "Unconfined"), seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      'forbids sysctls of the node',
      {
        securityContext: {
          sysctls: [
            { name: 'kernel.msgmax', value: '1' },
            { name: 'net.ipv4.tcp_rmem', value: '1' },
          ],
        },
      },
      'forbidden sysctls (kernel.msgmax)',
    ],
    [
      'forbids processes of a Windows node',
      { securityContext: { windowsOptions: { hostProcess: true } } },
      'hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)',
    ],
  ])('%s', (_what, spec, expected) => {
    expect(violations('baseline', spec)).toBe(expected);
  });

  it('reads the AppArmor annotations of old', () => {
    const annotations = { 'container.apparmor.security.beta.kubernetes.io/a': 'unconfined' };
    expect(violations('baseline', {}, LATEST, annotations)).toBe(
      'forbidden AppArmor profile (annotation must not set AppArmor profile type to "container.apparmor.security.beta.kubernetes.io/a=\\"unconfined\\"")',
    );
  });

  it('is what it was in the release that is asked for', () => {
    const rmem = { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem', value: '1' }] } };
    expect([violations('baseline', rmem, 31), violations('baseline', rmem, 32)]).toEqual([
      'forbidden sysctls (net.ipv4.tcp_rmem)',
      '',
    ]);
    const probe = { containers: [{ ...named('a'), readinessProbe: { tcpSocket: { port: 1, host: 'h' } } }] };
    expect(violations('baseline', probe, 33)).toBe('');
  });
});

describe('the restricted level', () => {
  it('has nothing against a pod that does its best', () => {
    expect(violations('restricted', { containers: [named('a', GOOD)], volumes: [{ name: 'v', secret: {} }] })).toBe('');
  });

  it('says all that an ordinary pod lacks', () => {
    expect(violations('restricted', {})).toBe(
      'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    );
  });

  it.each<[string, Spec, string]>([
    [
      'allows one capability',
      { containers: [named('a', { ...GOOD, capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE', 'CHOWN'] } })] },
      'unrestricted capabilities (container "a" must not include "CHOWN" in securityContext.capabilities.add)',
    ],
    [
      'allows few volumes',
      {
        containers: [named('a', GOOD)],
        volumes: [
          { name: 'v', hostPath: { path: '/' } },
          { name: 'w', nfs: { server: 's', path: '/' } },
        ],
      },
      'restricted volume types (volumes "v", "w" use restricted volume types "hostPath", "nfs")',
    ],
    [
      'forbids root, by flag and by number',
      { securityContext: { runAsNonRoot: false, runAsUser: 0 }, containers: [named('a', GOOD)] },
      'runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false), runAsUser=0 (pod must not set runAsUser=0)',
    ],
    [
      'but not in a user namespace',
      { hostUsers: false, containers: [named('a', { ...GOOD, runAsNonRoot: false, runAsUser: 0 })] },
      '',
    ],
    [
      'takes from the pod what containers do not say',
      {
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'Localhost', localhostProfile: 'p' } },
        containers: [named('a', { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } })],
      },
      '',
    ],
    [
      'asks less of Windows',
      { os: { name: 'windows' } },
      'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)',
    ],
    [
      'forbids what baseline does',
      { hostNetwork: true, containers: [named('a', GOOD)] },
      'host namespaces (hostNetwork=true)',
    ],
  ])('%s', (_what, spec, expected) => {
    expect(violations('restricted', spec)).toBe(expected);
  });
});

describe('the labels of a namespace', () => {
  const label = (mode: string): string => `pod-security.kubernetes.io/${mode}`;

  it('name a level and a version', () => {
    expect(policyOf({}, 'enforce')).toBeUndefined();
    expect(policyOf({ [label('enforce')]: 'privileged' }, 'enforce')).toBeUndefined();
    expect(shown(policyOf({ [label('enforce')]: 'baseline' }, 'enforce')!)).toBe('baseline:latest');
    const old = { [label('warn')]: 'restricted', [label('warn-version')]: 'v1.25' };
    expect(shown(policyOf(old, 'warn')!)).toBe('restricted:v1.25');
  });

  it('warn of what is enforced, where they say nothing of warnings', () => {
    const warned = (labels: object): string | undefined => {
      const policy = policyOf({ [label('enforce')]: 'baseline', ...labels }, 'warn');
      return policy && shown(policy);
    };
    expect(warned({})).toBe('baseline:latest');
    expect(warned({ [label('enforce-version')]: 'v1.30' })).toBe('baseline:v1.30');
    expect(warned({ [label('enforce-version')]: 'v1.30', [label('warn-version')]: 'v1.31' })).toBe('baseline:v1.31');
    expect(warned({ [label('enforce-version')]: 'v1.30', [label('warn')]: 'restricted' })).toBe('restricted:latest');
    for (const off of [{ warn: 'privileged' }, { warn: 'odd' }, { enforce: 'odd' }, { enforce: 'privileged' }]) {
      expect(warned(Object.fromEntries(Object.entries(off).map(([mode, level]) => [label(mode), level])))).toBe(
        undefined,
      );
    }
  });

  it('ask for everything when nobody understands them', () => {
    expect(shown(policyOf({ [label('enforce')]: 'odd', [label('enforce-version')]: '1.2' }, 'enforce')!)).toBe(
      'restricted:latest',
    );
    expect(
      labelProblems({ [label('audit')]: 'odd', [label('warn-version')]: 'v2.1' }).map(
        ({ field, message }) => `${field}: ${message}`,
      ),
    ).toEqual([
      'metadata.labels[pod-security.kubernetes.io/audit]: Invalid value: "odd": must be one of privileged, baseline, restricted',
      'metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "v2.1": must be "latest" or "v1.x"',
    ]);
  });
});
