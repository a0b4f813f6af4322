import { eventually } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Shell } from './shell.ts';

const statefulSet = (replicas: number, spec = ''): string => `
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  replicas: ${replicas}
  serviceName: web
  ${spec}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: "example.com/main:1"}]}
`;

describe('kubectl runs StatefulSets', () => {
  let shell: Shell;
  beforeAll(async () => {
    shell = await Shell.start('stateful');
  });
  afterAll(() => shell?.cluster[Symbol.asyncDispose]());

  const names = async (): Promise<string> => shell.ok("get pods -l app=web '-o=jsonpath={.items[*].metadata.name}'");
  const uids = async (): Promise<string> => shell.ok("get pods -l app=web '-o=jsonpath={.items[*].metadata.uid}'");
  const images = async (): Promise<string> =>
    shell.ok("get pods -l app=web '-o=jsonpath={.items[*].spec.containers[0].image}'");
  const rolledOut = () => shell.ok('rollout status sts/web --timeout=60s');

  it('makes pods in order, with their names as host names', async () => {
    await shell.ok(`apply -f ${shell.file('web.yaml', statefulSet(3))}`);
    expect(await rolledOut()).toMatch(/partitioned roll out complete|rolling update complete 3 pods at revision web-/);
    expect(await names()).toBe('web-0 web-1 web-2');
    const { items } = await shell.json('pods -l app=web');
    for (const { metadata, spec } of items) {
      expect(spec).toMatchObject({ hostname: metadata.name, subdomain: 'web' });
      expect(metadata.labels['statefulset.kubernetes.io/pod-name']).toBe(metadata.name);
    }
    const created = items.map(({ metadata }: { metadata: { resourceVersion: string; creationTimestamp: string } }) =>
      Date.parse(metadata.creationTimestamp),
    );
    expect([...created].sort((a, b) => a - b)).toEqual(created);
    expect(await shell.ok('get sts web')).toMatch(/^web +3\/3 +\d+s$/m);
    expect(await shell.ok('describe sts web')).toMatch(
      /Normal +SuccessfulCreate +\S+ +statefulset-controller +create Pod web-0 in StatefulSet web successful/,
    );
    await eventually(async () => {
      const [slice] = (await shell.json('endpointslice -l kubernetes.io/service-name=web')).items;
      expect(slice.endpoints.map(({ hostname }: { hostname: string }) => hostname).sort()).toEqual([
        'web-0',
        'web-1',
        'web-2',
      ]);
    });
  });

  it('scales up at the end and down from it', async () => {
    expect(await shell.ok('scale sts/web --replicas=5')).toBe('statefulset.apps/web scaled\n');
    await rolledOut();
    expect(await names()).toBe('web-0 web-1 web-2 web-3 web-4');
    await shell.ok('scale sts/web --replicas=2');
    await eventually(async () => expect(await names()).toBe('web-0 web-1'));
  });

  it('brings a deleted pod back under its name', async () => {
    const before = await uids();
    // kubectl waits for ever when its watch begins with the pod that came after.
    await shell.ok('delete pod web-0 --wait=false');
    await eventually(async () => {
      expect(await uids()).not.toBe(before);
      expect(await names()).toBe('web-0 web-1');
      expect((await shell.json('sts web')).status.readyReplicas).toBe(2);
    });
  });

  it('rollout follows, lists, undoes and restarts', async () => {
    await shell.ok('annotate sts/web kubernetes.io/change-cause=second');
    await shell.ok('set image sts/web main=example.com/main:2');
    expect(await rolledOut()).toContain('complete');
    expect(await images()).toBe('example.com/main:2 example.com/main:2');
    expect(await shell.ok('rollout history sts/web')).toMatch(
      /^statefulset\.apps\/web \nREVISION {2}CHANGE-CAUSE\n1 +\S+\n2 +second\n/,
    );
    expect(await shell.ok('rollout history sts/web --revision=1')).toMatch(/Image:\texample\.com\/main:1/);
    expect(await shell.ok('rollout undo sts/web')).toBe('statefulset.apps/web rolled back\n');
    await rolledOut();
    expect(await images()).toBe('example.com/main:1 example.com/main:1');
    expect(await shell.ok('rollout undo sts/web --to-revision=2')).toBe('statefulset.apps/web rolled back\n');
    await rolledOut();
    expect(await shell.ok('rollout undo sts/web --to-revision=4')).toBe(
      'statefulset.apps/web skipped rollback (current template already matches revision 4)\n',
    );
    expect((await shell.json('controllerrevisions -l app=web')).items).toHaveLength(2);
    const before = await uids();
    expect(await shell.ok('rollout restart sts/web')).toBe('statefulset.apps/web restarted\n');
    await rolledOut();
    for (const uid of (await uids()).split(' ')) expect(before).not.toContain(uid);
  });

  it('rolls out behind a partition, and waits for the rest', async () => {
    const partitioned = (partition: number) =>
      `patch sts web --type=merge -p {"spec":{"updateStrategy":{"rollingUpdate":{"partition":${partition}}}}}`;
    await shell.ok(partitioned(1));
    await shell.ok('set image sts/web main=example.com/main:3');
    expect(await rolledOut()).toContain('partitioned roll out complete: 1 new pods have been updated...');
    expect(await images()).toBe('example.com/main:2 example.com/main:3');
    await shell.ok(partitioned(0));
    await rolledOut();
    expect(await images()).toBe('example.com/main:3 example.com/main:3');
  });

  it('leaves its pods and its history when asked to, and takes them back', async () => {
    const before = await uids();
    const { apiVersion, kind, spec } = await shell.json('sts web');
    await shell.ok('delete sts web --cascade=orphan');
    await eventually(async () => {
      for (const what of ['pods', 'controllerrevisions']) {
        const { items } = await shell.json(`${what} -l app=web`);
        for (const { metadata } of items) expect(metadata.ownerReferences).toBeUndefined();
      }
    });
    const again = JSON.stringify({ apiVersion, kind, metadata: { name: 'web' }, spec });
    await shell.ok(`create -f ${shell.file('again.json', again)}`);
    await eventually(async () => {
      const { metadata, status } = await shell.json('sts web');
      expect(status).toMatchObject({ replicas: 2, readyReplicas: 2 });
      for (const { metadata: owned } of (await shell.json('pods,controllerrevisions -l app=web')).items) {
        expect(owned.ownerReferences).toMatchObject([{ uid: metadata.uid, controller: true }]);
      }
    });
    expect(await uids()).toBe(before);
    await shell.ok('delete sts web --cascade=foreground');
    expect(await names()).toBe('');
    expect(await shell.ok('get controllerrevisions -l app=web -o name')).toBe('');
  });

  it('makes all pods at once when they need not wait for each other', async () => {
    await shell.ok(`apply -f ${shell.file('parallel.yaml', statefulSet(4, 'podManagementPolicy: Parallel'))}`);
    await rolledOut();
    expect(await names()).toBe('web-0 web-1 web-2 web-3');
    await shell.ok('scale sts/web --replicas=0');
    await eventually(async () => expect(await names()).toBe(''));
    await shell.ok('delete sts,svc web');
  });

  it('makes the claims of its pods, and removes them with the set where that is its policy', async () => {
    const claims = [
      'persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete}',
      'volumeClaimTemplates:',
      '  - metadata: {name: data}',
      '    spec: {storageClassName: none, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}',
    ].join('\n  ');
    await shell.ok(`apply -f ${shell.file('claims.yaml', statefulSet(1, claims))}`);
    await shell.ok('wait pod/web-0 --for=create --timeout=30s');
    expect((await shell.json('pod web-0')).spec.volumes[0]).toEqual({
      name: 'data',
      persistentVolumeClaim: { claimName: 'data-web-0' },
    });
    expect((await shell.json('pvc data-web-0')).metadata).toMatchObject({
      labels: { app: 'web' },
      ownerReferences: [{ kind: 'StatefulSet', name: 'web' }],
    });
    await shell.ok('delete sts web');
    await shell.ok('wait pvc/data-web-0 --for=delete --timeout=60s');
  });
});
