import { existsSync, readFileSync } from 'node:fs';
import { eventually, HELLO_ARCHIVE, startCluster, type TestCluster, whyNoTestContainers } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Shell } from './kubectl/shell.ts';

const obstacle = whyNoTestContainers();
if (obstacle) process.stderr.write(`skipped: volumes on real containers, because ${obstacle}\n`);

const IMAGE = 'localhost/hello:1';
const CLAIM = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`;
const podWith = (name: string, command: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  containers:
  - {name: main, image: "${IMAGE}", command: [sh, -c, '${command}'], volumeMounts: [{name: data, mountPath: /data}]}
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
`;
const SCRATCHER = `
apiVersion: v1
kind: Pod
metadata: {name: scratcher}
spec:
  restartPolicy: Never
  containers:
  - {name: main, image: "${IMAGE}", command: [sh, -c, 'echo notes > /data/file'], volumeMounts: [{name: notes, mountPath: /data}]}
  volumes:
  - name: notes
    ephemeral:
      volumeClaimTemplate:
        metadata: {labels: {of: scratcher}}
        spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`;
interface Volume {
  spec: { local: { path: string } };
}

describe.skipIf(obstacle)('volumes on real containers, with the real kubectl', () => {
  let cluster: TestCluster;
  let shell: Shell;
  beforeAll(async () => {
    cluster = await startCluster(0);
    await cluster.periplus('image', 'import', HELLO_ARCHIVE);
    shell = new Shell(cluster, 'volumes');
    await shell.ok('create namespace volumes');
    await shell.ok('wait serviceaccount/default --for=create --timeout=30s');
  });
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });
  const apply = (name: string, manifest: string) => shell.ok(`apply -f ${shell.file(`${name}.yaml`, manifest)}`);
  const volumes = async (): Promise<Volume[]> => (await shell.json('pv')).items;
  const succeeds = (pod: string) => shell.ok(`wait pod/${pod} --for=jsonpath={.status.phase}=Succeeded --timeout=60s`);

  it('has a default class, whose claims wait for a pod', async () => {
    expect(await shell.ok('get sc')).toMatch(
      /^standard \(default\) +periplus\.dev\/node-local +Delete +WaitForFirstConsumer +true /m,
    );
    await apply('claim', CLAIM);
    await eventually(async () => {
      expect(await shell.ok('describe pvc data')).toMatch(
        /Normal +WaitForFirstConsumer .* waiting for first consumer to be created before binding/,
      );
    });
  });

  it('keeps what a pod writes for the next one', async () => {
    await apply('writer', podWith('writer', 'echo kept > /data/file'));
    await succeeds('writer');
    expect(await shell.ok('get pvc data')).toMatch(/^data +Bound +pvc-\S+ +1Gi +RWO +standard /m);
    await eventually(async () => {
      expect(await shell.ok('describe pvc data')).toMatch(
        /Normal +ProvisioningSucceeded .*Successfully provisioned volume/,
      );
    });
    await shell.ok('delete pod writer');
    await apply('reader', podWith('reader', 'grep kept /data/file'));
    await succeeds('reader');
    expect(await shell.ok('logs reader')).toBe('kept\n');
  });

  it('lets a claim grow', async () => {
    await shell.ok(`patch pvc data -p '{"spec":{"resources":{"requests":{"storage":"3Gi"}}}}'`);
    await eventually(async () => expect(await shell.ok('get pvc data')).toMatch(/ 3Gi +RWO /));
    expect(await shell.ok('get pv')).toMatch(/^pvc-\S+ +3Gi +RWO +Delete +Bound +volumes\/data /m);
  });

  it('holds a claim while a pod uses it, and removes volume and directory when it goes', async () => {
    const [volume] = await volumes();
    const { path } = volume!.spec.local;
    expect(readFileSync(`${path}/file`, 'utf8')).toBe('kept\n');
    await apply('holder', podWith('holder', 'sleep 1000'));
    await shell.ok('wait pod/holder --for=condition=Ready --timeout=60s');
    await shell.ok('delete pvc data --wait=false');
    expect(await shell.ok('get pvc data')).toMatch(/^data +Terminating /m);
    // A pod that has ended still counts.
    await shell.ok('delete pod holder reader');
    await eventually(async () => expect(await volumes()).toEqual([]));
    expect(existsSync(path)).toBe(false);
  });

  it('makes the claim of an ephemeral volume, unless somebody has its name, and removes it with its pod', async () => {
    await apply('namesake', CLAIM.replace('name: data', 'name: scratcher-notes'));
    await apply('scratcher', SCRATCHER);
    const conflict = 'PVC volumes/scratcher-notes was not created for pod volumes/scratcher \\(pod is not owner\\)';
    await eventually(async () => {
      const text = await shell.ok('describe pod scratcher');
      expect(text).toMatch(
        new RegExp(`Warning +FailedBinding .* ephemeral_volume +ephemeral volume notes: ${conflict}`),
      );
      expect(text).toMatch(new RegExp(`Warning +FailedScheduling .*0/1 nodes are available: ${conflict}`));
    });
    // The pod's own claim follows at once, and kubectl waits for ever when it finds only that one.
    await shell.ok('delete pvc scratcher-notes --wait=false');
    await succeeds('scratcher');
    expect(await shell.ok('get pvc -l of=scratcher')).toMatch(/^scratcher-notes +Bound +pvc-\S+ +1Gi +RWO +standard /m);
    const [volume] = await volumes();
    const { path } = volume!.spec.local;
    expect(readFileSync(`${path}/file`, 'utf8')).toBe('notes\n');
    await shell.ok('delete pod scratcher');
    await eventually(async () => expect(await volumes()).toEqual([]));
    expect(await shell.ok('get pvc')).toBe('');
    expect(existsSync(path)).toBe(false);
  });
});
