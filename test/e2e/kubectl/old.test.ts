import { eventually } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployment, Shell } from './shell.ts';

/** A client of 2021: it validates against OpenAPI v2 itself, discovers piece by piece, and knows no Table of newer kinds. */
describe('kubectl 1.22', () => {
  let shell: Shell;
  beforeAll(async () => {
    const { cluster } = await Shell.start('old');
    shell = new Shell(cluster, 'old', '1.22');
  });
  afterAll(() => shell?.cluster[Symbol.asyncDispose]());

  it('is what it says it is', async () => {
    expect(await shell.ok('version --client --short')).toBe('Client Version: v1.22.0\n');
  });

  it('applies, and finds mistakes by the schema that the server publishes', async () => {
    const path = shell.file('old.yaml', deployment('old'));
    expect(await shell.ok(`apply -f ${path}`)).toBe('deployment.apps/old created\n');
    expect(await shell.ok(`apply -f ${path}`)).toBe('deployment.apps/old unchanged\n');
    // What is changed before a controller has seen it is no revision.
    await shell.ok('rollout status deploy/old --timeout=60s');
    const changed = shell.file('changed.yaml', deployment('old').replace('main:1', 'main:2'));
    expect(await shell.ok(`apply -f ${changed} --dry-run=server`)).toBe(
      'deployment.apps/old configured (server dry run)\n',
    );
    expect(await shell.ok(`apply -f ${changed}`)).toBe('deployment.apps/old configured\n');
    const wrong = shell.file('wrong.yaml', deployment('old').replace('replicas: 2', 'replica: two'));
    expect(await shell.fails(`apply -f ${wrong}`)).toContain(
      'ValidationError(Deployment.spec): unknown field "replica" in io.k8s.api.apps.v1.DeploymentSpec',
    );
    const typed = shell.file('typed.yaml', deployment('old').replace('replicas: 2', 'replicas: two'));
    expect(await shell.fails(`apply -f ${typed}`)).toContain(
      'invalid type for io.k8s.api.apps.v1.DeploymentSpec.replicas: got "string", expected "integer"',
    );
  });

  it('rolls out, scales, exposes, waits and deletes', async () => {
    expect(await shell.ok('rollout status deploy/old --timeout=60s')).toContain('successfully rolled out');
    expect(await shell.ok('get deploy old')).toMatch(/^old +2\/2 +2 +2 +\d+s$/m);
    expect(await shell.ok('scale deploy/old --replicas=1')).toBe('deployment.apps/old scaled\n');
    expect(await shell.ok('rollout undo deploy/old')).toBe('deployment.apps/old rolled back\n');
    expect(await shell.ok('expose deploy old --port=80')).toBe('service/old exposed\n');
    expect(await shell.ok(`patch deploy old -p '{"spec":{"paused":true}}'`)).toBe('deployment.apps/old patched\n');
    expect(await shell.ok('describe deploy old')).toMatch(/^Replicas: +1 desired/m);
    expect(await shell.ok('run pod --image=example.com/a')).toBe('pod/pod created\n');
    expect(await shell.ok('wait pod/pod --for=condition=Ready --timeout=60s')).toBe('pod/pod condition met\n');
    await eventually(async () => {
      expect(await shell.ok('get events --field-selector=involvedObject.name=pod')).toContain('Scheduled');
    });
    expect(await shell.ok('delete pod pod')).toBe('pod "pod" deleted\n');
    expect(await shell.ok('delete deploy old --cascade=foreground')).toBe('deployment.apps "old" deleted\n');
    expect(await shell.ok('get pods -o name')).toBe('');
  });

  it('creates, labels, explains and lists resources', async () => {
    expect(await shell.ok('create configmap a --from-literal=k=v')).toBe('configmap/a created\n');
    expect(await shell.ok('label configmap a b=c')).toBe('configmap/a labeled\n');
    expect(await shell.ok('explain deploy.spec.strategy')).toMatch(/^RESOURCE: strategy <Object>$/m);
    expect(await shell.ok('explain pods --recursive')).toMatch(/^ {9}imagePullPolicy\t<string>$/m);
    expect(await shell.ok('api-resources --api-group=apps -o name')).toContain('deployments.apps');
    expect(await shell.ok('auth can-i create pods')).toBe('yes\n');
    expect(await shell.ok('drain sim-0 --dry-run=server')).toContain('node/sim-0 drained (server dry run)');
  });
});
