import { eventually } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployment, Shell } from './shell.ts';

describe('kubectl reads', () => {
  let shell: Shell;
  beforeAll(async () => {
    shell = await Shell.start('reads');
    await shell.ok(`apply -f ${shell.file('web.yaml', deployment('web'))}`);
    await shell.ok('expose deploy web --port=80');
    await shell.ok('rollout status deploy/web --timeout=60s');
  });
  afterAll(() => shell?.cluster[Symbol.asyncDispose]());

  it('get prints tables as on Kubernetes', async () => {
    const table = async (line: string): Promise<string[]> => (await shell.ok(line)).trimEnd().split('\n');
    const pods = await table('get pods');
    expect(pods[0]).toBe(
      'NAME                   READY   STATUS    RESTARTS   AGE'.replace(/^NAME +/, pods[0]!.match(/^NAME +/)![0]),
    );
    expect(pods.slice(1)).toHaveLength(2);
    for (const row of pods.slice(1)) expect(row).toMatch(/^web-[a-f0-9]+-\w{5} +1\/1 +Running +0 +\d+s$/);
    expect((await table('get pods -o wide'))[1]).toMatch(
      /^web-\S+ +1\/1 +Running +0 +\d+s +\d+\.\d+\.\d+\.\d+ +sim-\d +<none> +<none>$/,
    );
    expect((await table('get deploy -o wide'))[1]).toMatch(
      /^web +2\/2 +2 +2 +\d+s +main +example\.com\/main:1 +app=web$/,
    );
    expect((await table('get rs'))[1]).toMatch(/^web-[a-f0-9]+ +2 +2 +2 +\d+s$/);
    expect((await table('get svc -o wide'))[1]).toMatch(/^web +ClusterIP +10\.\S+ +<none> +80\/TCP +\d+s +app=web$/);
    expect((await table('get nodes'))[1]).toMatch(/^sim-0 +Ready +<none> +\d+m?\d*s? +v1\.36\.\d+$/);
    expect((await table('get ns reads'))[1]).toMatch(/^reads +Active +\d+s$/);
    expect((await table('get pods -A --no-headers'))[0]).toMatch(/^reads +web-/);
    expect((await table('get pods --show-labels -L app'))[1]).toMatch(/ web +app=web,pod-template-hash=[a-f0-9]+$/);
    expect((await table('get deploy,svc'))[0]).toMatch(/^NAME +READY +UP-TO-DATE +AVAILABLE +AGE$/);
    expect((await table('get all')).filter((row) => row.startsWith('NAME'))).toHaveLength(4);
  });

  it('get shows who leads', async () => {
    await eventually(async () => {
      const leases = (await shell.ok('get leases -n kube-system')).trimEnd().split('\n');
      expect(leases[0]).toMatch(/^NAME +HOLDER +AGE$/);
      expect(leases[1]).toMatch(/^kube-controller-manager +\S+_[0-9a-f]+ +\d+\w+$/);
      expect(leases[2]).toMatch(/^kube-scheduler +\S+_[0-9a-f]+ +\d+\w+$/);
    });
  });

  it('get prints what a program wants', async () => {
    expect(await shell.ok('get deploy web -o name')).toBe('deployment.apps/web\n');
    expect(await shell.ok('get deploy web -o jsonpath={.spec.replicas}')).toBe('2');
    expect(await shell.ok("get deploy web -o go-template='{{.metadata.name}}'")).toBe('web');
    expect(await shell.ok('get deploy -o custom-columns=N:.metadata.name,R:.spec.replicas')).toMatch(
      /^N +R\nweb +2\n$/,
    );
    expect(await shell.ok('get deploy web -o yaml')).toMatch(/^apiVersion: apps\/v1\nkind: Deployment\nmetadata:\n/);
    expect(await shell.ok('get deploy web -o kyaml')).toContain('kind: "Deployment",');
    expect(JSON.parse(await shell.ok('get pods -o json'))).toMatchObject({ kind: 'List', apiVersion: 'v1' });
    expect(await shell.ok('get deploy/web svc/web -o name')).toBe('deployment.apps/web\nservice/web\n');
    expect(await shell.ok('get --raw /apis/apps/v1/namespaces/reads/deployments/web/scale')).toContain(
      '"kind":"Scale"',
    );
    expect(await shell.ok('get deploy web --subresource=status -o jsonpath={.status.readyReplicas}')).toBe('2');
  });

  it('get selects, sorts and pages', async () => {
    expect(await shell.ok('get pods -l app=web -o name')).toMatch(/^(pod\/web-\S+\n){2}$/);
    expect(await shell.ok("get pods -l 'app in (other)' -o name")).toBe('');
    expect(await shell.ok('get pods --field-selector=status.phase!=Running -o name')).toBe('');
    expect(await shell.ok('get pods --chunk-size=1 -o name')).toMatch(/^(pod\/web-\S+\n){2}$/);
    const names = (await shell.ok('get pods --sort-by=.metadata.uid -o name')).trim().split('\n');
    const uids = await Promise.all(names.map((name) => shell.ok(`get ${name} -o jsonpath={.metadata.uid}`)));
    expect(uids).toEqual(uids.toSorted());
    expect(await shell.fails('get pods -l a=b=c')).toBe(
      `Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label selector "a=b=c", field selector "": found '=', expected: ',' or 'end of string'`,
    );
    expect(await shell.fails('get pods --field-selector=spec.nope=a')).toBe(
      'Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label selector "", field selector "spec.nope=a": field label not supported: spec.nope',
    );
  });

  it('get and wait watch', async () => {
    const { stdout } = await shell.cluster.tryKubectl([
      '-n',
      'reads',
      'get',
      'deploy',
      'web',
      '-w',
      '--output-watch-events',
      '--request-timeout=5s',
    ]);
    expect(stdout).toMatch(/^EVENT +NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nADDED +web +2\/2 /);
    const waiting = shell.ok('wait configmap/late --for=create --timeout=30s');
    await shell.ok('create configmap late');
    expect(await waiting).toBe('configmap/late condition met\n');
  });

  it('says what there is not', async () => {
    expect(await shell.fails('get pod nope')).toBe('Error from server (NotFound): pods "nope" not found');
    expect(await shell.fails('get nopes')).toBe('error: the server doesn\'t have a resource type "nopes"');
    expect((await shell.cluster.tryKubectl(['-n', 'reads', 'get', 'jobs.batch'])).stderr).toContain(
      'No resources found in reads namespace.',
    );
  });

  it('describe tells what is worth knowing, and no secrets', async () => {
    expect(await shell.ok('describe deploy web')).toMatch(
      /^Replicas: +2 desired \| 2 updated \| 2 total \| 2 available \| 0 unavailable$/m,
    );
    expect(await shell.ok('describe rs')).toMatch(/^Pods Status: +2 Running \/ 0 Waiting \/ 0 Succeeded \/ 0 Failed$/m);
    const pod = await shell.ok('describe pod -l app=web');
    for (const line of [/^Controlled By: +ReplicaSet\/web-/m, /^ +Ready +True $/m, /^QoS Class: +BestEffort$/m]) {
      expect(pod).toMatch(line);
    }
    await eventually(async () => {
      expect(await shell.ok('describe pod -l app=web')).toMatch(
        /Normal +Scheduled +\w+ +default-scheduler +Successfully assigned reads\/web-\S+ to sim-\d/,
      );
      expect(await shell.ok('describe svc web')).toMatch(/^Endpoints: +\d+\.\d+\.\d+\.\d+:80,\d+\.\d+\.\d+\.\d+:80$/m);
    });
    const node = await shell.ok('describe node sim-0');
    expect(node).toMatch(/^ {2}Ready +True .* KubeletReady +kubelet is posting ready status$/m);
    expect(node).toMatch(
      /^Lease:\n {2}HolderIdentity: {2}sim-0\n {2}AcquireTime: +<unset>\n {2}RenewTime: +\w+, \d+ /m,
    );
    await shell.ok('create secret generic hidden --from-literal=password=hunter2');
    const secret = await shell.ok('describe secret hidden');
    expect(secret).toMatch(/^password: {2}7 bytes$/m);
    expect(secret).not.toContain('hunter2');
  });

  it('get componentstatuses shows the whole control plane at work', async () => {
    const { stdout, stderr } = await shell.cluster.tryKubectl(['get', 'componentstatuses']);
    expect(stderr).toContain('Warning: v1 ComponentStatus is deprecated in v1.19+');
    expect(stdout.replaceAll(/ +/g, ' ').replaceAll(/ $/gm, '')).toBe(
      'NAME STATUS MESSAGE ERROR\ncontroller-manager Healthy ok\nscheduler Healthy ok\netcd-0 Healthy ok\n',
    );
  });

  it('events shows what happened, of all or of one', async () => {
    expect(await shell.ok('get events')).toMatch(/^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n/);
    await eventually(async () => {
      expect(await shell.ok('events --for deployment/web')).toMatch(
        /Normal +ScalingReplicaSet +Deployment\/web +Scaled up replica set web-[a-f0-9]+ from 0 to 2/,
      );
    });
    expect(await shell.ok('events --types=Warning')).not.toContain('Normal');
  });

  it('explain, api-resources, api-versions and completion know all that is served', async () => {
    expect(await shell.ok('explain deploy.spec.strategy.rollingUpdate.maxSurge')).toContain(
      'FIELD: maxSurge <IntOrString>',
    );
    expect(await shell.ok('explain pods --recursive')).toMatch(/^ {6}imagePullPolicy\t<string>$/m);
    expect(await shell.ok('api-resources --categories=all -o name')).toContain('deployments.apps');
    expect(await shell.ok('api-resources --namespaced=false -o name')).toMatch(/^nodes$/m);
    expect(await shell.ok('api-resources --api-group=apps -o wide')).toMatch(
      /^deployments +deploy +apps\/v1 +true +Deployment +create,delete,deletecollection,get,list,patch,update,watch +all$/m,
    );
    const versions = (await shell.ok('api-versions')).trim().split('\n');
    expect(versions).toEqual(expect.arrayContaining(['apps/v1', 'v1']));
    const complete = async (...words: string[]): Promise<string> =>
      (await shell.cluster.tryKubectl(['__complete', ...words])).stdout;
    expect(await complete('get', 'deployments', '-n', 'reads', '')).toMatch(/^web\n/);
    expect(await complete('get', 'deploym')).toMatch(/^deployments\.apps\n/);
  });

  it('version, cluster-info, auth and top answer', async () => {
    expect(await shell.ok('version')).toMatch(/^Server Version: v1\.36\.\d+/m);
    expect(await shell.ok('cluster-info')).toContain('Kubernetes control plane');
    expect(await shell.ok('cluster-info dump --namespaces=reads')).toContain('"kind": "DeploymentList"');
    expect(await shell.ok('top nodes')).toMatch(/^NAME +CPU\(cores\) +CPU\(%\)/);
    await eventually(async () => {
      expect(await shell.ok('top pods')).toMatch(/^NAME +CPU\(cores\) +MEMORY\(bytes\) *\nweb-\S+ +\d+m +\d+Mi/);
    });
    expect(await shell.ok('auth can-i create pods')).toBe('yes\n');
    expect(await shell.ok('auth can-i --list')).toMatch(/^\*\.\* +\[\] +\[\] +\[\*\]$/m);
    expect(await shell.ok('auth whoami')).toContain('kubernetes-admin');
    expect((await shell.cluster.tryKubectl(['auth', 'can-i', 'create', 'pods', '--as=nobody'])).stdout).toBe('no\n');
  });
});
