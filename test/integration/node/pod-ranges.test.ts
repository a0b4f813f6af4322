import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Kind, node as nodeKind } from '@periplus/api';
import type { KubeObject } from '@periplus/apimachinery';
import { type TestContainerd, whyNoTestContainers } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AgentHarness, SOON } from './agent-harness.ts';

const reason = whyNoTestContainers();

/** A range that no other test of this machine has: theirs are below. */
const PREFIX = `10.${224 + (process.pid % 32)}.${(process.pid >> 5) % 256}.`;
const RANGE = `${PREFIX}0/24`;

/** Takes the network from a containerd that does not run, which is to make one from a template when it is told a range. */
function useTemplate({ paths, directory }: TestContainerd): void {
  const list = join(paths.cniConfig, '10-periplus.conflist');
  const template = join(directory, 'network.template');
  const network = JSON.parse(readFileSync(list, 'utf8'));
  network.plugins[0].ipam.ranges = [[{ subnet: '{{.PodCIDR}}' }]];
  writeFileSync(template, JSON.stringify(network));
  rmSync(list);
  const config = readFileSync(paths.config, 'utf8');
  writeFileSync(
    paths.config,
    config.replace('conf_dir =', `conf_template = ${JSON.stringify(template)}\n    conf_dir =`),
  );
}

describe.skipIf(reason)(`the pod range of a node${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let node: AgentHarness;
  beforeAll(async () => {
    node = await AgentHarness.start();
  });
  afterAll(() => node?.[Symbol.asyncDispose]());

  it('is what its runtime makes the network of, also when somebody else has assigned it', async () => {
    await vi.waitFor(() => expect(node.agent!.notReady()).toBeUndefined(), SOON);
    await node.stopAgent();
    await node.containerd.kill();
    useTemplate(node.containerd);
    const registered = node.cluster.nodeObject as unknown as KubeObject;
    const spec = { podCIDR: RANGE, podCIDRs: [RANGE] };
    await node.cluster.putObject(nodeKind as unknown as Kind, { ...registered, spec } as KubeObject);
    // Its network is ready only once it has been told.
    await Promise.all([node.containerd.start(), node.startAgent()]);
    await node.create('p', { containers: [node.server()] });
    const { podIP } = (await node.untilRunning('p')) as { podIP?: string };
    expect(podIP?.startsWith(PREFIX)).toBe(true);
  });
});
