import { eventually } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Shell } from './shell.ts';

const daemonSet = (spec = ''): string => `
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  ${spec}
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: main, image: "example.com/main:1"}]}
`;

describe('kubectl runs DaemonSets', () => {
  let shell: Shell;
  let nodes: string[];
  beforeAll(async () => {
    shell = await Shell.start('daemons');
    nodes = (await shell.ok("get nodes '-o=jsonpath={.items[*].metadata.name}'")).split(' ').sort();
  });
  afterAll(() => shell?.cluster[Symbol.asyncDispose]());

  const each = async (path: string): Promise<string[]> =>
    (await shell.ok(`get pods -l app=agent '-o=jsonpath={.items[*].${path}}'`)).split(' ').filter(Boolean).sort();
  const images = () => each('spec.containers[0].image');
  const uids = () => each('metadata.uid');
  const placed = () => each('spec.nodeName');
  const rolledOut = () => shell.ok('rollout status ds/agent --timeout=60s');

  it('runs a pod on each node', async () => {
    await shell.ok(`apply -f ${shell.file('agent.yaml', daemonSet())}`);
    expect(await rolledOut()).toContain('daemon set "agent" successfully rolled out');
    expect(nodes).toHaveLength(2);
    expect(await placed()).toEqual(nodes);
    expect(await shell.ok('get ds agent')).toMatch(/^agent +2 +2 +2 +2 +2 +<none> +\d+s$/m);
    expect(await shell.ok('describe ds agent')).toMatch(
      /Normal +SuccessfulCreate +\S+ +daemonset-controller +Created pod: agent-\w{5}/,
    );
  });

  it('rollout follows, lists, undoes and restarts', async () => {
    await shell.ok('annotate ds/agent kubernetes.io/change-cause=second');
    await shell.ok('set image ds/agent main=example.com/main:2');
    await rolledOut();
    expect(await images()).toEqual(['example.com/main:2', 'example.com/main:2']);
    expect(await shell.ok('rollout history ds/agent')).toMatch(
      /^daemonset\.apps\/agent \nREVISION {2}CHANGE-CAUSE\n1 +\S+\n2 +second\n/,
    );
    expect(await shell.ok('rollout history ds/agent --revision=1')).toMatch(/Image:\texample\.com\/main:1/);
    expect(await shell.ok('rollout undo ds/agent')).toBe('daemonset.apps/agent rolled back\n');
    await rolledOut();
    expect(await images()).toEqual(['example.com/main:1', 'example.com/main:1']);
    expect(await shell.ok('rollout undo ds/agent --to-revision=3')).toBe(
      'daemonset.apps/agent skipped rollback (current template already matches revision 3)\n',
    );
    expect((await shell.json('controllerrevisions -l app=agent')).items).toHaveLength(2);
    const before = await uids();
    expect(await shell.ok('rollout restart ds/agent')).toBe('daemonset.apps/agent restarted\n');
    await rolledOut();
    for (const uid of await uids()) expect(before).not.toContain(uid);
  });

  it('follows the labels and the taints of nodes', async () => {
    await shell.ok('patch ds agent --type=merge -p {"spec":{"template":{"spec":{"nodeSelector":{"disk":"ssd"}}}}}');
    await eventually(async () => expect(await placed()).toEqual([]));
    await shell.ok(`label node ${nodes[1]} disk=ssd`);
    await eventually(async () => expect(await placed()).toEqual([nodes[1]]));
    await shell.ok(`taint node ${nodes[1]} gpu=x:NoExecute`);
    await eventually(async () => expect(await placed()).toEqual([]));
    await shell.ok(`taint node ${nodes[1]} gpu-`);
    await eventually(async () => expect(await placed()).toEqual([nodes[1]]));
    await shell.ok('patch ds agent --type=merge -p {"spec":{"template":{"spec":{"nodeSelector":null}}}}');
    await rolledOut();
    expect(await placed()).toEqual(nodes);
  });

  it('stays on a node that is cordoned and drained of all else', async () => {
    await shell.ok(`cordon ${nodes[0]}`);
    expect(await shell.fails(`drain ${nodes[0]}`)).toContain('cannot delete DaemonSet-managed Pods');
    await shell.ok(`drain ${nodes[0]} --ignore-daemonsets`);
    expect(await placed()).toEqual(nodes);
    const name = await shell.ok(`get pods -l app=agent --field-selector=spec.nodeName=${nodes[0]} -o name`);
    await shell.ok(`delete ${name.trim()}`);
    await eventually(async () => expect(await placed()).toEqual(nodes));
    await shell.ok(`uncordon ${nodes[0]}`);
    await rolledOut();
  });

  it('with surge serves on every node all along', async () => {
    const surge = '{"spec":{"updateStrategy":{"rollingUpdate":{"maxUnavailable":0,"maxSurge":"50%"}}}}';
    await shell.ok(`patch ds agent --type=merge -p ${surge}`);
    await shell.ok('set image ds/agent main=example.com/main:3');
    const available: number[] = [];
    let isRolling = true;
    const watching = (async () => {
      while (isRolling) available.push((await shell.json('ds agent')).status.numberAvailable ?? 0);
    })();
    await rolledOut();
    isRolling = false;
    await watching;
    expect(Math.min(...available)).toBe(2);
    expect(await images()).toEqual(['example.com/main:3', 'example.com/main:3']);
  });

  it('leaves its pods and its history when asked to, and takes them back', async () => {
    const before = await uids();
    const { apiVersion, kind, spec } = await shell.json('ds agent');
    await shell.ok('delete ds agent --cascade=orphan');
    await eventually(async () => {
      for (const { metadata } of (await shell.json('pods,controllerrevisions -l app=agent')).items) {
        expect(metadata.ownerReferences).toBeUndefined();
      }
    });
    const again = JSON.stringify({ apiVersion, kind, metadata: { name: 'agent' }, spec });
    await shell.ok(`create -f ${shell.file('again.json', again)}`);
    await eventually(async () => {
      const { metadata, status } = await shell.json('ds agent');
      expect(status).toMatchObject({ updatedNumberScheduled: 2, numberAvailable: 2 });
      for (const { metadata: owned } of (await shell.json('pods,controllerrevisions -l app=agent')).items) {
        expect(owned.ownerReferences).toMatchObject([{ uid: metadata.uid, controller: true }]);
      }
    });
    expect(await uids()).toEqual(before);
    await shell.ok('delete ds agent --cascade=foreground');
    expect(await uids()).toEqual([]);
  });
});
