import { eventually, HELLO_ARCHIVE, startCluster, type TestCluster, whyNoTestContainers } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Shell } from './kubectl/shell.ts';

const obstacle = whyNoTestContainers();
if (obstacle) process.stderr.write(`skipped: StatefulSets on real containers, because ${obstacle}\n`);

/** Each pod writes down who had its data first, and how often it was started on it. */
const SCRIPT = [
  'trap "exit 0" TERM',
  'test -f /data/first || echo $UID_OF_POD > /data/first',
  'echo . >> /data/starts',
  'echo "$(hostname -f) first $(cat /data/first) start $(wc -l < /data/starts)"',
  'touch /tmp/ready',
  'while true; do sleep 1; done',
].join('; ');
const DATABASE = `
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  replicas: 3
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
      - name: main
        image: localhost/hello:1
        command: [sh, -c, '${SCRIPT}']
        env: [{name: UID_OF_POD, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}]
        readinessProbe: {exec: {command: [test, -f, /tmp/ready]}, periodSeconds: 1}
        volumeMounts: [{name: data, mountPath: /data}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
`;
const NAMES = ['db-0', 'db-1', 'db-2'];

interface Pod {
  metadata: { name: string; uid: string; deletionTimestamp?: string };
  status: { conditions?: { type: string; status: string }[] };
}

describe.skipIf(obstacle)('a StatefulSet with claims on real containers, with the real kubectl', () => {
  let cluster: TestCluster;
  let shell: Shell;
  /** The first pod of each name, whose data all later ones find. */
  let firstPods: Pod[];

  beforeAll(async () => {
    cluster = await startCluster(0);
    shell = new Shell(cluster, 'stateful');
    await cluster.periplus('image', 'import', HELLO_ARCHIVE);
    await cluster.kubectl('create', 'namespace', 'stateful');
    await shell.ok('wait serviceaccount/default --for=create --timeout=30s');
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  const readyPods = (not: readonly string[] = []): Promise<Pod[]> =>
    eventually(async () => {
      const pods: Pod[] = (await shell.json('pods -l app=db')).items;
      const isReady = ({ metadata, status }: Pod): boolean =>
        !metadata.deletionTimestamp &&
        (status.conditions ?? []).some(({ type, status: value }) => type === 'Ready' && value === 'True');
      expect(pods.filter(isReady).map(({ metadata }) => metadata.name)).toEqual(NAMES);
      for (const { metadata } of pods) expect(not).not.toContain(metadata.uid);
      return pods;
    }, 120_000);
  const uidsOf = (pods: readonly Pod[]): string[] => pods.map(({ metadata }) => metadata.uid);
  const claims = () => shell.ok("get pvc '-o=jsonpath={.items[*].metadata.uid}'");
  /** What each pod said last: its name, whose data it found, and which start on it that was. */
  const expectData = async (starts: number): Promise<void> => {
    for (const [i, name] of NAMES.entries()) {
      const said = (await shell.ok(`logs ${name}`)).trim().split('\n').at(-1);
      const { uid } = firstPods[i]!.metadata;
      expect(said).toBe(`${name}.db.stateful.svc.cluster.local first ${uid} start ${starts}`);
    }
  };

  it('gives each pod its name and storage', async () => {
    await shell.ok(`apply -f ${shell.file('db.yaml', DATABASE)}`);
    await shell.ok('rollout status sts/db --timeout=120s');
    firstPods = await readyPods();
    await expectData(1);
    expect(await shell.ok("get pvc '-o=jsonpath={.items[*].status.phase}'")).toBe('Bound Bound Bound');
    expect(await shell.ok('get pvc -o name')).toBe(
      NAMES.map((name) => `persistentvolumeclaim/data-${name}\n`).join(''),
    );
  });

  it('keeps both when each of its pods is deleted', async () => {
    const before = await claims();
    await shell.ok('delete pod -l app=db --wait=false');
    await readyPods(uidsOf(firstPods));
    await expectData(2);
    expect(await claims()).toBe(before);
  });

  it('keeps both when the node-agent is killed as its pods are deleted', async () => {
    const before = await readyPods();
    await shell.ok('delete pod db-1 --wait=false');
    process.kill(cluster.status().processes.find(({ name }) => name === 'node-agent')!.pid!, 'SIGKILL');
    await shell.ok('delete pod db-0 db-2 --wait=false');
    await readyPods(uidsOf(before));
    await expectData(3);
  });

  it('keeps both when the cluster is taken down and brought up, and its pods stay who they are', async () => {
    const [before, uids] = [await claims(), uidsOf(await readyPods())];
    await cluster.periplus('down');
    await cluster.periplus('up', '--detach');
    await eventually(() => expectData(4), 60_000);
    expect(uidsOf(await readyPods())).toEqual(uids);
    expect(await claims()).toBe(before);
  });

  it('keeps both when all processes of the cluster are killed', async () => {
    const before = await claims();
    const { supervisor, processes } = cluster.status();
    for (const pid of [supervisor.pid, ...processes.map((one) => one.pid)]) if (pid) process.kill(pid, 'SIGKILL');
    await cluster.periplus('up', '--detach');
    const pods = await readyPods();
    expect(await claims()).toBe(before);
    await shell.ok('delete pod -l app=db --wait=false');
    await readyPods(uidsOf(pods));
    for (const [i, name] of NAMES.entries()) {
      expect(await shell.ok(`logs ${name}`)).toContain(`first ${firstPods[i]!.metadata.uid} start `);
    }
  });
});
