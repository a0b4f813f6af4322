import { eventually } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployment, Shell } from './shell.ts';

const HELD_JOB = `
apiVersion: batch/v1
kind: Job
metadata: {name: held}
spec:
  suspend: true
  completions: 3
  parallelism: 2
  completionMode: Indexed
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: example.com/sum}]
`;
const REPLICATION_CONTROLLER = `
apiVersion: v1
kind: ReplicationController
metadata: {name: old}
spec:
  replicas: 1
  selector: {app: old}
  template:
    metadata: {labels: {app: old}}
    spec:
      containers: [{name: main, image: example.com/old}]
`;

describe('kubectl runs workloads', () => {
  let shell: Shell;
  beforeAll(async () => {
    shell = await Shell.start('workloads');
  });
  afterAll(() => shell?.cluster[Symbol.asyncDispose]());

  it('rollout follows, lists, undoes, pauses, resumes and restarts', async () => {
    await shell.ok(`apply -f ${shell.file('rolled.yaml', deployment('rolled'))}`);
    expect(await shell.ok('rollout status deploy/rolled --timeout=60s')).toContain(
      'deployment "rolled" successfully rolled out',
    );
    await shell.ok('annotate deploy/rolled kubernetes.io/change-cause=second');
    await shell.ok('set image deploy/rolled main=example.com/main:2');
    await shell.ok('rollout status deploy/rolled --timeout=60s');
    expect(await shell.ok('rollout history deploy/rolled')).toMatch(
      /^deployment\.apps\/rolled \nREVISION {2}CHANGE-CAUSE\n1 +\S+\n2 +second\n/,
    );
    expect(await shell.ok('rollout history deploy/rolled --revision=2')).toMatch(/Image:\texample\.com\/main:2/);
    expect(await shell.ok('rollout undo deploy/rolled')).toBe('deployment.apps/rolled rolled back\n');
    await shell.ok('rollout status deploy/rolled --timeout=60s');
    expect(await shell.ok('get deploy rolled -o jsonpath={.spec.template.spec.containers[0].image}')).toBe(
      'example.com/main:1',
    );
    expect(await shell.ok('rollout undo deploy/rolled --to-revision=2')).toBe('deployment.apps/rolled rolled back\n');
    expect(await shell.fails('rollout undo deploy/rolled --to-revision=99')).toBe(
      'error: unable to find specified revision 99 in history',
    );
    expect(await shell.ok('rollout pause deploy/rolled')).toBe('deployment.apps/rolled paused\n');
    expect(await shell.fails('rollout pause deploy/rolled')).toBe('error: deployments.apps "rolled" is already paused');
    expect(await shell.ok('rollout resume deploy/rolled')).toBe('deployment.apps/rolled resumed\n');
    const before = await shell.ok('get pods -l app=rolled -o name');
    expect(await shell.ok('rollout restart deploy/rolled')).toBe('deployment.apps/rolled restarted\n');
    await shell.ok('rollout status deploy/rolled --timeout=60s');
    await eventually(async () => {
      const after = await shell.ok('get pods -l app=rolled -o name');
      expect(after.trim().split('\n')).toHaveLength(2);
      for (const name of after.trim().split('\n')) expect(before).not.toContain(name);
    });
  });

  it('scale sets a number, if the number is what was expected', async () => {
    await shell.ok('create deployment scaled --image=example.com/a --replicas=1');
    expect(await shell.ok('scale deploy/scaled --replicas=3')).toBe('deployment.apps/scaled scaled\n');
    expect(await shell.fails('scale deploy/scaled --current-replicas=7 --replicas=2')).toBe(
      'error: Expected replicas to be 7, was 3',
    );
    await shell.ok('rollout status deploy/scaled --timeout=60s');
    expect(await shell.ok('get deploy scaled')).toMatch(/^scaled +3\/3 +3 +3 +\d+s$/m);
    expect(await shell.ok('scale rs -l app=scaled --replicas=3')).toMatch(/^replicaset\.apps\/scaled-\w+ scaled\n$/);
    expect(await shell.ok('autoscale deploy/scaled --min=1 --max=5 --cpu=50%')).toBe(
      'horizontalpodautoscaler.autoscaling/scaled autoscaled\n',
    );
    expect(await shell.ok('get hpa')).toMatch(/^scaled +Deployment\/scaled +cpu: <unknown>\/50% +1 +5 +0 +\d+s$/m);
    await shell.ok('delete hpa scaled');
    await shell.ok('scale deploy/scaled --replicas=0');
    await shell.ok('wait pod -l app=scaled --for=delete --timeout=60s');
    expect(await shell.ok('get pods -l app=scaled -o name')).toBe('');
  });

  it('run makes pods, expose makes services, wait sees them become what they should', async () => {
    expect(await shell.ok('run one --image=example.com/one --labels=run=one --env=A=b --port=80')).toBe(
      'pod/one created\n',
    );
    expect(await shell.ok('wait pod/one --for=condition=Ready --timeout=60s')).toBe('pod/one condition met\n');
    expect(await shell.ok("wait pod/one '--for=jsonpath={.status.phase}=Running' --timeout=60s")).toBe(
      'pod/one condition met\n',
    );
    expect(await shell.ok('run two --image=example.com/two --expose --port=8080')).toBe(
      'service/two created\npod/two created\n',
    );
    expect(await shell.ok('expose pod one --port=80 --name=exposed')).toBe('service/exposed exposed\n');
    await shell.ok('create deployment front --image=example.com/front --replicas=2');
    expect(await shell.ok('expose deploy front --port=80 --type=NodePort')).toBe('service/front exposed\n');
    await shell.ok('rollout status deploy/front --timeout=60s');
    const slice = 'endpointslice -l kubernetes.io/service-name=front';
    await eventually(async () => {
      expect((await shell.json(slice)).items[0].endpoints).toHaveLength(2);
    });
    expect(await shell.fails('wait pod/one --for=condition=Nonsense --timeout=1s')).toContain(
      'error: timed out waiting for the condition on pods/one',
    );
    expect(await shell.fails('wait pod/none --for=condition=Ready --timeout=1s')).toBe(
      'Error from server (NotFound): pods "none" not found',
    );
  });

  it('jobs run to their end, when they may, and leave their pods to who wants them', async () => {
    await shell.ok('create job summed --image=example.com/sum');
    expect(await shell.ok('wait job/summed --for=condition=complete --timeout=60s')).toBe(
      'job.batch/summed condition met\n',
    );
    await shell.ok("create cronjob nightly --image=example.com/sum '--schedule=0 3 * * *'");
    await shell.ok('create job tonight --from=cronjob/nightly');
    await shell.ok('wait job/tonight --for=condition=complete --timeout=60s');
    await shell.ok(`apply -f ${shell.file('held.yaml', HELD_JOB)}`);
    await shell.ok('wait job/held --for=condition=suspended --timeout=30s');
    expect(await shell.ok('get jobs')).toMatch(
      /^held +Suspended +0\/3 .*\n.*summed +Complete +1\/1 .*\ntonight +Complete /m,
    );
    await shell.ok(`patch job held --patch='{"spec":{"suspend":false}}'`);
    await shell.ok('wait job/held --for=condition=complete --timeout=60s');
    expect(await shell.ok('get job held -o jsonpath={.status.completedIndexes}')).toBe('0-2');
    await shell.ok('delete job summed --cascade=orphan');
    const [left] = (await shell.json('pods -l job-name=summed')).items;
    expect([left.metadata.ownerReferences, left.metadata.finalizers ?? []]).toEqual([undefined, []]);
    await shell.ok('delete cronjob nightly --cascade=foreground');
    // What kubectl makes of a CronJob does not block its deletion, and goes by itself.
    await shell.ok('wait job/tonight --for=delete --timeout=60s');
    await shell.ok('delete job held');
  });

  it('replication controllers keep their pods, and are scaled', async () => {
    await shell.ok(`apply -f ${shell.file('old.yaml', REPLICATION_CONTROLLER)}`);
    expect(await shell.ok('scale rc/old --replicas=3')).toBe('replicationcontroller/old scaled\n');
    await shell.ok("wait rc/old '--for=jsonpath={.status.readyReplicas}=3' --timeout=60s");
    expect(await shell.ok('get rc old')).toMatch(/^old +3 +3 +3 +\d+s$/m);
    await shell.ok('delete rc old --cascade=foreground');
  });

  it('delete takes what is owned with it, before or after, or leaves it', async () => {
    const make = async (name: string): Promise<string> => {
      await shell.ok(`create deployment ${name} --image=example.com/a --replicas=1`);
      await shell.ok(`rollout status deploy/${name} --timeout=60s`);
      return (await shell.ok(`get rs -l app=${name} -o name`)).trim();
    };
    const after = await make('background');
    expect(await shell.ok('delete deploy background --cascade=background')).toBe(
      'deployment.apps "background" deleted from workloads namespace\n',
    );
    await shell.ok(`wait ${after} --for=delete --timeout=60s`);
    await shell.ok('wait pod -l app=background --for=delete --timeout=60s');

    const before = await make('foreground');
    await shell.ok('delete deploy foreground --cascade=foreground');
    expect(await shell.fails(`get ${before}`)).toContain('not found');

    const left = await make('orphan');
    await shell.ok('delete deploy orphan --cascade=orphan');
    await eventually(async () => expect((await shell.json(left)).metadata.ownerReferences).toBeUndefined());
    expect((await shell.json('pods -l app=orphan')).items).toHaveLength(1);

    expect(await shell.ok('delete pod two --now')).toBe('pod "two" deleted from workloads namespace\n');
    expect(await shell.ok('delete pod one --grace-period=0 --force')).toContain('pod "one" force deleted');
    expect(await shell.ok('delete all --all')).toContain('service "front" deleted from workloads namespace');
    await eventually(async () => expect(await shell.ok('get all -o name')).toBe(''));
    expect(await shell.fails('delete deploy none')).toBe(
      'Error from server (NotFound): deployments.apps "none" not found',
    );
    expect(await shell.ok('delete deploy none --ignore-not-found')).toBe('');
  });

  it('delete ends a namespace with all that is in it', async () => {
    await shell.ok('create namespace doomed');
    await shell.ok('-n doomed wait serviceaccount/default --for=create --timeout=30s');
    await shell.ok('-n doomed create deployment inside --image=example.com/a --replicas=2');
    await shell.ok('-n doomed rollout status deploy/inside --timeout=60s');
    await eventually(async () => expect(await shell.ok('-n doomed get events -o name')).toContain('event/inside'));
    expect(await shell.ok('delete namespace doomed --timeout=60s')).toBe('namespace "doomed" deleted\n');
    expect(await shell.ok('get pods -A -o name -l app=inside')).toBe('');
    await eventually(async () => expect(await shell.ok('-n doomed get events -o name')).toBe(''));
  });
});
