import { eventually } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Shell } from './shell.ts';

describe('kubectl tends nodes', () => {
  let shell: Shell;
  beforeAll(async () => {
    shell = await Shell.start('nodes');
  });
  afterAll(() => shell?.cluster[Symbol.asyncDispose]());

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
    await shell.ok('rollout status deploy/away --timeout=60s');
    expect(await shell.ok('get pods -l app=away -o jsonpath={.items[*].spec.nodeName}')).toBe('sim-1 sim-1 sim-1');
    expect(await shell.ok('uncordon sim-0')).toBe('node/sim-0 uncordoned\n');
    expect(await shell.ok('uncordon sim-0')).toBe('node/sim-0 already uncordoned\n');
  });
});
