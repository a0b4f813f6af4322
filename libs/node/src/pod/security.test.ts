import type { Image } from '@periplus/cri';
import { describe, expect, it } from 'vitest';
import { aPod } from './pod-fixtures.ts';
import type { PodSpec } from './pod-types.ts';
import { containerSecurity, namespaces } from './security.ts';

const image = (of: Partial<Image>): Image => ({
  id: '',
  tags: [],
  digests: [],
  sizeBytes: 1,
  uid: null,
  username: '',
  ...of,
});
const of = (spec: Partial<PodSpec>, own: object = {}, from = image({})) => {
  const pod = aPod({ ...spec, containers: [{ name: 'main', securityContext: own }] });
  return containerSecurity(pod, pod.spec.containers[0]!, from, '/seccomp');
};

describe('containerSecurity', () => {
  it('prefers what the container says to what the pod says', () => {
    const spec = { securityContext: { runAsUser: 1, runAsGroup: 2, supplementalGroups: [3], fsGroup: 4 } };
    expect(of(spec, { runAsUser: 9 })).toMatchObject({
      ...{ runAsUser: { value: 9 }, runAsGroup: { value: 2 }, supplementalGroups: [3, 4] },
    });
  });

  it('runs as the user of the image when nobody says otherwise', () => {
    expect(of({}, {}, image({ uid: 1000 }))).toMatchObject({ runAsUser: { value: 1000 } });
    expect(of({}, {}, image({ username: 'app' }))).toMatchObject({ runAsUsername: 'app' });
  });

  it.each([
    [
      { runAsUser: 0 },
      image({}),
      'container\'s runAsUser breaks non-root policy (pod: "web_default(uid-1)", container: main)',
    ],
    [
      {},
      image({}),
      'container has runAsNonRoot and image will run as root (pod: "web_default(uid-1)", container: main)',
    ],
    [{}, image({ username: 'app' }), 'image has non-numeric user (app), cannot verify user is non-root'],
  ])('refuses root when it is not wanted: %j', (own, from, message) => {
    expect(() => of({}, { runAsNonRoot: true, ...own }, from)).toThrow(message);
  });

  it('confines by default and not at all when privileged', () => {
    expect(of({}, { seccompProfile: { type: 'RuntimeDefault' } }).seccomp).toEqual({ profileType: 0 });
    expect(of({}).seccomp).toEqual({ profileType: 1 });
    expect(of({}, { seccompProfile: { type: 'Localhost', localhostProfile: 'a.json' } }).seccomp).toEqual({
      profileType: 2,
      localhostRef: '/seccomp/a.json',
    });
    expect(of({}).maskedPaths).toContain('/proc/kcore');
    expect(of({}, { privileged: true })).toMatchObject({ privileged: true, seccomp: { profileType: 1 } });
  });
});

it.each<[Partial<PodSpec>, object]>([
  [{}, { network: 0, ipc: 0, pid: 1 }],
  [
    { hostNetwork: true, hostIPC: true, hostPID: true },
    { network: 2, ipc: 2, pid: 2 },
  ],
  [{ shareProcessNamespace: true }, { network: 0, ipc: 0, pid: 0 }],
])('namespaces of %j', (spec, expected) => {
  expect(namespaces(aPod(spec))).toEqual(expected);
});
