import { eventually } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Shell } from './shell.ts';

const sliceOf = (node: string, devices: readonly string[]): string => `
apiVersion: resource.k8s.io/v1
kind: ResourceSlice
metadata: {name: ${node}-gpus}
spec:
  driver: gpu.example.com
  nodeName: ${node}
  pool: {name: ${node}, generation: 1, resourceSliceCount: 1}
  devices: [${devices.map((name) => `{name: ${name}, attributes: {model: {string: big}}}`).join(', ')}]
`;
const KINDS = `
apiVersion: resource.k8s.io/v1
kind: DeviceClass
metadata: {name: gpu.example.com}
spec: {selectors: [{cel: {expression: 'device.driver == "gpu.example.com"'}}]}
---
apiVersion: resource.k8s.io/v1
kind: ResourceClaimTemplate
metadata: {name: one-gpu}
spec: {spec: {devices: {requests: [{name: gpu, exactly: {deviceClassName: gpu.example.com}}]}}}
---
apiVersion: resource.k8s.io/v1
kind: ResourceClaim
metadata: {name: shared}
spec:
  devices:
    requests:
    - name: gpu
      exactly:
        deviceClassName: gpu.example.com
        selectors: [{cel: {expression: 'device.attributes["gpu.example.com"].model == "big"'}}]
`;
const TRAINERS = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: trainer}
spec:
  replicas: 5
  selector: {matchLabels: {app: trainer}}
  template:
    metadata: {labels: {app: trainer}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: main, image: example.com/trainer, resources: {claims: [{name: gpu}]}}]
      resourceClaims: [{name: gpu, resourceClaimTemplateName: one-gpu}]
`;
const sharer = (name: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: main, image: example.com/trainer, resources: {claims: [{name: gpu}]}}]
  resourceClaims: [{name: gpu, resourceClaimName: shared}]
`;
const JOB = `
apiVersion: batch/v1
kind: Job
metadata: {name: night}
spec:
  completions: 5
  parallelism: 5
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: example.com/trainer, resources: {claims: [{name: gpu}]}}]
      resourceClaims: [{name: gpu, resourceClaimTemplateName: one-gpu}]
`;
const DEVICES = ['sim-0/gpu-0', 'sim-0/gpu-1', 'sim-1/gpu-0'];

interface Claim {
  metadata: { name: string; finalizers?: string[]; ownerReferences?: { name: string }[] };
  status?: {
    allocation?: { devices: { results: { pool: string; device: string }[] } };
    reservedFor?: { name: string }[];
  };
}
interface Pod {
  metadata: { name: string };
  spec: { nodeName?: string };
  status: { phase: string };
}

describe('kubectl hands out devices', () => {
  let shell: Shell;
  beforeAll(async () => {
    shell = await Shell.start('devices');
    for (const [node, devices] of [
      ['sim-0', ['gpu-0', 'gpu-1']],
      ['sim-1', ['gpu-0']],
    ] as const) {
      await shell.ok(`apply -f ${shell.file(`${node}.yaml`, sliceOf(node, devices))}`);
    }
    await shell.ok(`apply -f ${shell.file('kinds.yaml', KINDS)}`);
  });
  afterAll(() => shell?.cluster[Symbol.asyncDispose]());

  const claims = async (): Promise<Claim[]> => (await shell.json('resourceclaims')).items;
  const trainers = async (phase: string): Promise<Pod[]> =>
    (await shell.json('pods -l app=trainer')).items.filter(({ status }: Pod) => status.phase === phase);
  const devicesOf = ({ status }: Claim): string[] =>
    (status?.allocation?.devices.results ?? []).map(({ pool, device }) => `${pool}/${device}`);
  /** Resolves once so many run and wait. */
  const settled = (running: number, pending: number) =>
    eventually(async () => {
      expect([(await trainers('Running')).length, (await trainers('Pending')).length]).toEqual([running, pending]);
    });

  it('to as many pods as there are, each one its own, and tells the others what they wait for', async () => {
    await shell.ok(`apply -f ${shell.file('trainers.yaml', TRAINERS)}`);
    await settled(3, 2);
    const all = (await claims()).filter(({ metadata }) => metadata.ownerReferences);
    expect(all).toHaveLength(5);
    expect(all.flatMap(devicesOf).sort()).toEqual(DEVICES);
    for (const pod of await trainers('Running')) {
      const claim = all.find(({ metadata }) => metadata.ownerReferences![0]!.name === pod.metadata.name)!;
      expect(claim.metadata.name).toMatch(new RegExp(`^${pod.metadata.name}-gpu-[a-z0-9]{5}$`));
      expect(devicesOf(claim)[0]).toMatch(new RegExp(`^${pod.spec.nodeName}/`));
      expect(claim.status!.reservedFor).toMatchObject([{ name: pod.metadata.name }]);
      expect(claim.metadata.finalizers).toEqual(['resource.kubernetes.io/delete-protection']);
    }
    const listed = await shell.ok('get resourceclaims --no-headers');
    expect(listed.match(/ allocated,reserved /g)).toHaveLength(3);
    expect(listed.match(/ pending /g)).toHaveLength(3);
    const [waiting] = await trainers('Pending');
    await eventually(async () => {
      expect(await shell.ok(`describe pod ${waiting!.metadata.name}`)).toMatch(
        /Warning +FailedScheduling .*0\/2 nodes are available: 2 cannot allocate all claims\./,
      );
    });
  });

  it('to the next pod when one goes', async () => {
    const [gone] = await trainers('Running');
    await shell.ok(`delete pod ${gone!.metadata.name} --timeout=60s`);
    await settled(3, 2);
    await eventually(async () => {
      const all = (await claims()).filter(({ metadata }) => metadata.ownerReferences);
      expect(all.map(({ metadata }) => metadata.ownerReferences![0]!.name)).not.toContain(gone!.metadata.name);
      expect(all.flatMap(devicesOf).sort()).toEqual(DEVICES);
    });
  });

  it('to two pods that share a claim, until the last of them goes', async () => {
    await shell.ok('scale deployment trainer --replicas=2');
    await settled(2, 0);
    for (const name of ['a', 'b']) await shell.ok(`apply -f ${shell.file(`${name}.yaml`, sharer(name))}`);
    await shell.ok('wait pod/a pod/b --for=condition=Ready --timeout=60s');
    const nodes = await shell.ok('get pods a b -o jsonpath={.items[*].spec.nodeName}');
    expect(new Set(nodes.split(' ')).size).toBe(1);
    const shared = async (): Promise<Claim> => shell.json('resourceclaim shared');
    expect((await shared()).status!.reservedFor!.map(({ name }) => name).sort()).toEqual(['a', 'b']);
    const [device] = devicesOf(await shared());
    await shell.ok('delete pod a --timeout=60s');
    await eventually(async () => expect((await shared()).status!.reservedFor).toMatchObject([{ name: 'b' }]));
    expect(devicesOf(await shared())).toEqual([device]);
    await shell.ok('delete pod b --timeout=60s');
    await eventually(async () => {
      const { metadata, status } = await shared();
      expect(status?.allocation).toBeUndefined();
      expect(metadata.finalizers).toBeUndefined();
    });
    expect(await shell.ok('get resourceclaim shared --no-headers')).toMatch(/^shared +pending /);
  });

  it('and takes one away that is broken, with the pod that has it', async () => {
    await shell.ok('scale deployment trainer --replicas=3');
    await settled(3, 0);
    const isOf = ({ spec }: Pod): boolean => spec.nodeName === 'sim-1';
    const before = (await trainers('Running')).find(isOf)!;
    const taint = { op: 'add', path: '/spec/devices/0/taints', value: [{ key: 'health', effect: 'NoExecute' }] };
    const patch = (operation: object) =>
      shell.ok(`patch resourceslice sim-1-gpus --type=json -p '${JSON.stringify([operation])}'`);
    await patch(taint);
    await settled(2, 1);
    const events = await shell.ok(`events --for pod/${before.metadata.name}`);
    expect(events).toMatch(/Normal +DeviceTaintManagerEviction .*Marking for deletion/);
    await patch({ op: 'remove', path: '/spec/devices/0/taints' });
    await settled(3, 0);
    expect((await trainers('Running')).filter(isOf)).toHaveLength(1);
  });

  it('and from pods that have ended to those that wait', async () => {
    await shell.ok('scale deployment trainer --replicas=0');
    await shell.ok(`apply -f ${shell.file('job.yaml', JOB)}`);
    await shell.ok('wait job/night --for=condition=Complete --timeout=120s');
    await eventually(async () => expect(await shell.ok('get resourceclaims -o name')).toMatch(/^\S+\/shared\n$/));
    const ended = await shell.ok('get pods -l job-name=night --field-selector=status.phase=Succeeded -o name');
    expect(ended.trim().split('\n')).toHaveLength(5);
  });

  it('and leaves nothing behind when all is deleted', async () => {
    await shell.ok('scale deployment trainer --replicas=2');
    await settled(2, 0);
    await shell.ok('delete deployment trainer --cascade=foreground --timeout=60s');
    expect(await shell.ok('get pods -l app=trainer -o name')).toBe('');
    await eventually(async () => expect(await shell.ok('get resourceclaims -o name')).toMatch(/^\S+\/shared\n$/));
    expect(await shell.ok('delete resourceclaim shared --timeout=60s')).toBe(
      'resourceclaim.resource.k8s.io "shared" deleted from devices namespace\n',
    );
    await shell.ok('delete namespace devices --timeout=60s');
  });
});
