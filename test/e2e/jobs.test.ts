import { eventually, HELLO_ARCHIVE, startCluster, type TestCluster, whyNoTestContainers } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Shell } from './kubectl/shell.ts';

const obstacle = whyNoTestContainers();
if (obstacle) process.stderr.write(`skipped: Jobs on real containers, because ${obstacle}\n`);

const IMAGE = 'localhost/hello:1';
/** Pods that an index of a Job gets until one of them finds that enough have failed before it. */
const PATIENT = `
apiVersion: batch/v1
kind: Job
metadata: {name: patient}
spec:
  completions: 2
  parallelism: 2
  completionMode: Indexed
  backoffLimitPerIndex: 5
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: ${IMAGE}
        command: [sh, -c, 'echo "$JOB_COMPLETION_INDEX on $(hostname) after $FAILURES"; test "$FAILURES" -ge "$JOB_COMPLETION_INDEX"']
        env:
        - name: FAILURES
          valueFrom: {fieldRef: {fieldPath: "metadata.annotations['batch.kubernetes.io/job-index-failure-count']"}}
`;
const FRAGILE = `
apiVersion: batch/v1
kind: Job
metadata: {name: fragile}
spec:
  completions: 2
  backoffLimit: 3
  podFailurePolicy:
    rules:
    - {action: FailJob, onExitCodes: {operator: In, values: [42]}}
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 1
      containers:
      - {name: main, image: "${IMAGE}", command: [sh, -c, 'exit 42']}
`;

interface Pod {
  metadata: { name: string; creationTimestamp: string; annotations: Record<string, string>; finalizers?: string[] };
  status: { phase: string; containerStatuses: { state: { terminated?: { exitCode: number; finishedAt: string } } }[] };
}

describe.skipIf(obstacle)('Jobs on real containers, with the real kubectl', () => {
  let cluster: TestCluster;
  let shell: Shell;
  const kubectl = (...args: string[]): Promise<string> => cluster.kubectl('-n', 'jobs', ...args);
  const podsOf = async (job: string): Promise<Pod[]> =>
    JSON.parse(await kubectl('get', 'pods', '-l', `batch.kubernetes.io/job-name=${job}`, '-o', 'json')).items;

  beforeAll(async () => {
    cluster = await startCluster(0);
    shell = new Shell(cluster, 'jobs');
    await cluster.periplus('image', 'import', HELLO_ARCHIVE);
    await cluster.kubectl('create', 'namespace', 'jobs');
    await kubectl('wait', 'serviceaccount/default', '--for=create', '--timeout=30s');
    // Fires while the others run.
    await kubectl('create', 'cronjob', 'tick', `--image=${IMAGE}`, '--schedule=* * * * *', '--', 'echo', 'tick');
  });
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  it('kubectl create job runs one, waits for it, shows it and what it said', async () => {
    expect(await kubectl('create', 'job', 'once', `--image=${IMAGE}`, '--', 'echo', 'done')).toBe(
      'job.batch/once created\n',
    );
    expect(await kubectl('wait', 'job/once', '--for=condition=complete', '--timeout=60s')).toBe(
      'job.batch/once condition met\n',
    );
    expect(await kubectl('logs', 'job/once')).toBe('done\n');
    expect(await kubectl('get', 'job', 'once')).toMatch(/^once +Complete +1\/1 +\d+s +\d+s$/m);
    const description = await kubectl('describe', 'job', 'once');
    expect(description).toMatch(/^Pods Statuses: +0 Active \(0 Ready\) \/ 1 Succeeded \/ 0 Failed$/m);
    await eventually(async () => {
      const events = await kubectl('describe', 'job', 'once');
      expect(events).toMatch(/Normal +SuccessfulCreate +\S+ +job-controller +Created pod: once-\w{5}/);
      expect(events).toMatch(/Normal +Completed +\S+ +job-controller +Job completed/);
    });
    expect((await podsOf('once'))[0]!.metadata).not.toHaveProperty('finalizers');
  });

  it('pods that fail come back after ten seconds and more, until the Job completes, whatever is killed', async () => {
    await kubectl('apply', '-f', shell.file('patient.yaml', PATIENT));
    await kubectl('wait', 'job/patient', '--for=jsonpath={.status.completedIndexes}=0', '--timeout=60s');
    process.kill(cluster.status().processes.find(({ name }) => name === 'controller-manager')!.pid!, 'SIGKILL');
    await kubectl('wait', 'job/patient', '--for=condition=complete', '--timeout=120s');
    const pods = await podsOf('patient');
    const exits = pods.map(({ metadata, status }) => [
      metadata.annotations['batch.kubernetes.io/job-completion-index'],
      metadata.annotations['batch.kubernetes.io/job-index-failure-count'],
      status.containerStatuses[0]!.state.terminated!.exitCode,
    ]);
    expect(exits.sort()).toEqual([
      ['0', '0', 0],
      ['1', '0', 1],
      ['1', '1', 0],
    ]);
    const second = pods.filter(({ metadata }) => metadata.name.startsWith('patient-1-'));
    const [failed, succeeded] = second[0]!.status.phase === 'Failed' ? second : second.reverse();
    const failedAt = Date.parse(failed!.status.containerStatuses[0]!.state.terminated!.finishedAt);
    expect(Date.parse(succeeded!.metadata.creationTimestamp) - failedAt).toBeGreaterThanOrEqual(9_000);
    expect(await kubectl('logs', succeeded!.metadata.name)).toBe('1 on patient-1 after 1\n');
    const { status } = JSON.parse(await kubectl('get', 'job', 'patient', '-o', 'json'));
    expect(status).toMatchObject({ succeeded: 2, failed: 1, completedIndexes: '0,1', failedIndexes: '' });
  });

  it('an exit code that means the end fails the Job at once', async () => {
    await kubectl('apply', '-f', shell.file('fragile.yaml', FRAGILE));
    await kubectl('wait', 'job/fragile', '--for=condition=failed', '--timeout=60s');
    const { status } = JSON.parse(await kubectl('get', 'job', 'fragile', '-o', 'json'));
    expect(status.conditions.at(-1)).toMatchObject({ type: 'Failed', reason: 'PodFailurePolicy' });
    expect(status.conditions.at(-1).message).toMatch(
      /^Container main for pod jobs\/fragile-\w{5} failed with exit code 42 matching FailJob rule at index 0$/,
    );
    expect(await kubectl('get', 'job', 'fragile')).toMatch(/^fragile +Failed +0\/2 /m);
  });

  it('a CronJob fires, and gives its Job to who asks for one now', async () => {
    expect(await kubectl('create', 'job', 'manual', '--from=cronjob/tick')).toBe('job.batch/manual created\n');
    await kubectl('wait', 'job/manual', '--for=condition=complete', '--timeout=60s');
    expect(await kubectl('logs', 'job/manual')).toBe('tick\n');
    await kubectl('wait', 'cronjob/tick', '--for=jsonpath={.status.lastScheduleTime}', '--timeout=120s');
    const jobs = JSON.parse(await kubectl('get', 'jobs', '-o', 'json')).items as Pod[];
    const fired = jobs.find(
      ({ metadata }) => metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp'],
    );
    const scheduledAt = fired!.metadata.annotations['batch.kubernetes.io/cronjob-scheduled-timestamp']!;
    expect(fired!.metadata.name).toBe(`tick-${Date.parse(scheduledAt) / 60_000}`);
    await kubectl('wait', `job/${fired!.metadata.name}`, '--for=condition=complete', '--timeout=60s');
    expect(await kubectl('logs', `job/${fired!.metadata.name}`)).toBe('tick\n');
    expect(await kubectl('get', 'cronjob', 'tick')).toMatch(/^tick +\* \* \* \* \* +<none> +False +\d +\d+s +\S+$/m);
    await eventually(async () => {
      expect(await kubectl('describe', 'cronjob', 'tick')).toMatch(
        new RegExp(`Normal +SuccessfulCreate +\\S+.* cronjob-controller +Created job ${fired!.metadata.name}`),
      );
    });
    await kubectl('delete', 'cronjob', 'tick');
    await kubectl('wait', `job/${fired!.metadata.name}`, '--for=delete', '--timeout=60s');
  });

  it('a finished Job goes when its time has come, and takes its pods with it', async () => {
    await kubectl('patch', 'job', 'once', '--type=merge', '-p', '{"spec":{"ttlSecondsAfterFinished":1}}');
    await kubectl('wait', 'job/once', '--for=delete', '--timeout=60s');
    expect(await podsOf('once')).toEqual([]);
    await kubectl('delete', 'job', '--all', '--timeout=60s');
    await eventually(async () => expect(await kubectl('get', 'pods', '-o', 'name')).toBe(''));
  });
});
