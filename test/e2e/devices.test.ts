import { eventually, HELLO_ARCHIVE, startCluster, type TestCluster, whyNoTestContainers } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Shell } from './kubectl/shell.ts';

const obstacle = whyNoTestContainers();
if (obstacle) process.stderr.write(`skipped: devices of real containers, because ${obstacle}\n`);

const TEMPLATE = `
apiVersion: resource.k8s.io/v1
kind: ResourceClaimTemplate
metadata: {name: one-gpu}
spec: {spec: {devices: {requests: [{name: gpu, exactly: {deviceClassName: gpu.example.com}}]}}}
`;
const podOn = (node: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: train}
spec:
  nodeName: ${node}
  terminationGracePeriodSeconds: 1
  containers: [{name: main, image: "localhost/hello:1", command: [sleep, "1000"], resources: {claims: [{name: gpu}]}}]
  resourceClaims: [{name: gpu, resourceClaimTemplateName: one-gpu}]
`;
const ALLOCATION = {
  devices: { results: [{ request: 'gpu', driver: 'gpu.example.com', pool: 'here', device: 'gpu-0' }] },
};

describe.skipIf(obstacle)('devices of real containers, with the real kubectl', () => {
  let cluster: TestCluster;
  let shell: Shell;
  beforeAll(async () => {
    cluster = await startCluster(0);
    await cluster.periplus('image', 'import', HELLO_ARCHIVE);
    shell = new Shell(cluster, 'devices');
    await shell.ok('create namespace devices');
    await shell.ok('wait serviceaccount/default --for=create --timeout=30s');
  });
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  it('keep a pod from starting while the node has no driver for them', async () => {
    const [node] = (await shell.json('nodes')).items;
    await shell.ok(`apply -f ${shell.file('template.yaml', TEMPLATE)}`);
    await shell.ok(`apply -f ${shell.file('pod.yaml', podOn(node.metadata.name))}`);
    await shell.ok('wait pod/train --for=jsonpath={.status.resourceClaimStatuses[0].resourceClaimName} --timeout=30s');
    const [claim] = (await shell.json('resourceclaims')).items;
    const { name, uid } = claim.metadata;
    const isTold = (what: string) =>
      eventually(async () => {
        expect(await shell.ok('describe pod train')).toMatch(
          new RegExp(
            `Warning +FailedPrepareDynamicResources .* kubelet.* Failed to prepare dynamic resources: ${what}$`,
            'm',
          ),
        );
      });
    const pod = await shell.json('pod train');
    await isTold(
      `prepare dynamic resources: pod train \\(${pod.metadata.uid}\\) is not allowed to use ResourceClaim ${name} \\(${uid}\\)`,
    );
    // What the scheduler does, had it chosen the node.
    const patch = JSON.stringify({ status: { allocation: ALLOCATION } });
    await shell.ok(`patch resourceclaim ${name} --subresource=status --type=merge -p '${patch}'`);
    await isTold('prepare dynamic resources: DRA driver gpu.example.com is not registered');
    const { status } = await shell.json('pod train');
    expect(status).toMatchObject({
      phase: 'Pending',
      containerStatuses: [{ name: 'main', state: { waiting: { reason: 'ContainerCreating' } } }],
      resourceClaimStatuses: [{ name: 'gpu', resourceClaimName: name }],
    });
    await shell.ok('delete pod train --cascade=foreground --timeout=60s');
    await eventually(async () => expect(await shell.ok('get resourceclaims -o name')).toBe(''));
  });
});
