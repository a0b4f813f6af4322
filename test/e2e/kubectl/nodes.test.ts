import { eventually } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Shell } from './shell.ts';

describe('kubectl tends nodes', () => {
  let shell: Shell;
  beforeAll(async () => {
    shell = await Shell.start('nodes');
  });
  afterAll(() => shell?.cluster[Symbol.asyncDispose]());

  it('describe says since when somebody looks after a node', async () => {
    await eventually(async () => {
      const told =
        /Normal +RegisteredNode +\S+ +node-controller +Node sim-0 event: Registered Node sim-0 in Controller/;
      expect(await shell.ok('describe node sim-0')).toMatch(told);
    });
  });

  it('taint keeps pods away that do not tolerate it', async () => {
    expect(await shell.ok('taint node sim-0 key=value:NoSchedule')).toBe('node/sim-0 tainted\n');
    expect(await shell.fails('taint node sim-0 key=value:NoSchedule')).toBe(
      'error: node sim-0 already has key taint(s) with same effect(s) and --overwrite is false',
    );
    await shell.ok('create deployment away --image=example.com/a --replicas=3');
    await shell.ok('rollout status deploy/away --timeout=60s');
    expect(await shell.ok('get pods -l app=away -o jsonpath={.items[*].spec.nodeName}')).toBe('sim-1 sim-1 sim-1');
    expect(await shell.ok('taint node sim-0 key-')).toBe('node/sim-0 untainted\n');
  });

  it('a taint that does not execute away ends pods where it does', async () => {
    expect(await shell.ok('taint node sim-1 gone=yes:NoExecute')).toBe('node/sim-1 tainted\n');
    await eventually(async () => {
      const nodes = await shell.ok('get pods -l app=away -o jsonpath={.items[*].spec.nodeName}');
      expect(nodes).toBe('sim-0 sim-0 sim-0');
    });
    await shell.ok('taint node sim-1 gone-');
  });

  it('describe says of a pod that it was to leave, and may stay', async () => {
    const tolerations = [{ key: 'away', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 3_600 }];
    const overrides = JSON.stringify({ spec: { nodeName: 'sim-1', tolerations } });
    await shell.ok(`run patient --image=example.com/a --overrides=${overrides}`);
    await shell.ok('wait pod/patient --for=condition=Ready --timeout=30s');
    await shell.ok('taint node sim-1 away=yes:NoExecute');
    await shell.ok('taint node sim-1 away-');
    await eventually(async () => {
      const told =
        /Normal +TaintManagerEviction +\S+ +taint-eviction-controller +Cancelling deletion of Pod nodes\/patient/;
      expect(await shell.ok('describe pod patient')).toMatch(told);
    });
    await shell.ok('delete pod patient --now');
  });

  it('drain keeps to a disruption budget', async () => {
    await shell.ok('create deployment guarded --image=example.com/a --replicas=2');
    await shell.ok('create pdb guarded --selector=app=guarded --min-available=1');
    await shell.ok('rollout status deploy/guarded --timeout=60s');
    const allows = (count: number) =>
      `wait pdb/guarded --for=jsonpath={.status.disruptionsAllowed}=${count} --timeout=30s`;
    await shell.ok(allows(1));
    expect(await shell.ok('get pdb guarded')).toMatch(/guarded +1 +N\/A +1 +\d/);
    await shell.ok('drain sim-0 --pod-selector=app=guarded --timeout=60s');
    expect(await shell.ok('get pods -l app=guarded -o jsonpath={.items[*].spec.nodeName}')).not.toContain('sim-0');
    await shell.ok('rollout status deploy/guarded --timeout=60s');
    await shell.ok(`patch pdb guarded --type=merge -p '{"spec":{"minAvailable":2}}'`);
    await shell.ok(allows(0));
    expect(await shell.fails('drain sim-1 --pod-selector=app=guarded --timeout=3s')).toContain(
      "Cannot evict pod as it would violate the pod's disruption budget.",
    );
    await shell.ok('delete deployment,pdb guarded');
    for (const node of ['sim-0', 'sim-1']) await shell.ok(`uncordon ${node}`);
  });

  it('cordon, drain and uncordon move pods to other nodes', async () => {
    expect(await shell.ok('cordon sim-0')).toBe('node/sim-0 cordoned\n');
    expect(await shell.ok('get node sim-0')).toMatch(/^sim-0 +Ready,SchedulingDisabled /m);
    await shell.ok('run bare --image=example.com/a --overrides={"spec":{"nodeName":"sim-0"}}');
    expect(await shell.fails('drain sim-0 --timeout=60s')).toContain(
      'cannot delete Pods that declare no controller (use --force to override): nodes/bare',
    );
    const drained = await shell.ok('drain sim-0 --force --timeout=60s');
    expect(drained).toMatch(/^node\/sim-0 already cordoned\n/);
    expect(drained).toMatch(/node\/sim-0 drained\n$/);
    await eventually(async () => {
      const nodes = await shell.ok('get pods -l app=away -o jsonpath={.items[*].spec.nodeName}');
      expect(nodes).toBe('sim-1 sim-1 sim-1');
    });
    expect(await shell.ok('uncordon sim-0')).toBe('node/sim-0 uncordoned\n');
    expect(await shell.ok('uncordon sim-0')).toBe('node/sim-0 already uncordoned\n');
  });
});
