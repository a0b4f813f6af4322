import { eventually, HELLO_ARCHIVE, startCluster, type TestCluster, whyNoTestContainers } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Shell } from './kubectl/shell.ts';

const obstacle = whyNoTestContainers();
if (obstacle) process.stderr.write(`skipped: draining a node of real containers, because ${obstacle}\n`);

const GUARDED = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: guarded}
spec:
  replicas: 3
  selector: {matchLabels: {app: guarded}}
  template:
    metadata: {labels: {app: guarded}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - {name: web, image: "localhost/hello:1", ports: [{containerPort: 8080}], readinessProbe: {httpGet: {path: /, port: 8080}, periodSeconds: 1, timeoutSeconds: 10}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: guarded}
spec:
  minAvailable: 2
  selector: {matchLabels: {app: guarded}}
`;
const REFUSED = "Cannot evict pod as it would violate the pod's disruption budget.";

describe.skipIf(obstacle)('kubectl drain of a node whose containers are real', () => {
  let cluster: TestCluster;
  let shell: Shell;
  let node: string;
  const uids = async (): Promise<string[]> =>
    (await shell.json('pods -l app=guarded --field-selector=status.phase=Running')).items.map(
      ({ metadata }: { metadata: { uid: string } }) => metadata.uid,
    );
  const healthy = async (): Promise<number> => (await shell.json('pdb guarded')).status.currentHealthy;

  beforeAll(async () => {
    cluster = await startCluster(0);
    shell = new Shell(cluster, 'default');
    node = (await shell.ok('get nodes -o name')).trim().replace('node/', '');
    await cluster.periplus('image', 'import', HELLO_ARCHIVE);
    await shell.ok('wait serviceaccount/default --for=create --timeout=30s');
    await shell.ok(`apply -f ${shell.file('guarded.yaml', GUARDED)}`);
    await shell.ok('rollout status deploy/guarded --timeout=60s');
    await shell.ok('wait pdb/guarded --for=jsonpath={.status.disruptionsAllowed}=1 --timeout=30s');
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  it('stops where the budget ends, and leaves the rest at work', async () => {
    const before = await uids();
    expect(await shell.fails(`drain ${node} --timeout=6s`)).toContain(REFUSED);
    await eventually(async () => {
      const after = await uids();
      expect(after).toHaveLength(2);
      expect(before).toEqual(expect.arrayContaining(after));
      expect(await healthy()).toBe(2);
    });
  });

  it('goes on when the pods that went are replaced, with never fewer than the budget asks for', async () => {
    await shell.ok(`uncordon ${node}`);
    await shell.ok('wait pdb/guarded --for=jsonpath={.status.disruptionsAllowed}=1 --timeout=60s');
    const before = await uids();
    expect(before).toHaveLength(3);
    const drained = shell.ok(`drain ${node} --timeout=120s`);
    await shell.ok('wait pdb/guarded --for=jsonpath={.status.disruptionsAllowed}=0 --timeout=30s');
    // Their replacements come to the same node, which drain lets be: it knows whom it came for.
    await shell.ok(`uncordon ${node}`);
    const seen: number[] = [];
    let isDraining = true;
    const watching = (async () => {
      while (isDraining) seen.push(await healthy());
    })();
    expect(await drained).toMatch(/ drained\n$/);
    isDraining = false;
    await watching;
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(2);
    await shell.ok('rollout status deploy/guarded --timeout=60s');
    for (const uid of await uids()) expect(before).not.toContain(uid);
  });
});
