import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { eventually, startCluster, type TestCluster } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

describe('a cluster of simulated nodes', () => {
  let cluster: TestCluster;

  beforeAll(async () => {
    cluster = await startCluster(3);
  });

  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });

  it('has as many nodes as were asked for, all Ready', async () => {
    const table = await cluster.kubectl('get', 'nodes');
    expect(table.match(/^sim-\d +Ready /gm)).toHaveLength(3);
  });

  it('runs a Deployment whose pods become Ready, spread over the nodes', async () => {
    // Pods that ask for little are all the same to a node with much.
    const flags = ['--image=example.com/web', '--replicas=6', '--dry-run=client', '-o', 'yaml'];
    const manifest = await cluster.kubectl('create', 'deployment', 'web', ...flags);
    const asking = manifest.replace('resources: {}', 'resources: {requests: {cpu: "2", memory: 8Gi}}');
    const { stderr } = await cluster.tryKubectl(['create', '--field-manager=kubectl-create', '-f', '-'], {
      input: asking,
    });
    expect(stderr).toBe('');
    await cluster.kubectl('rollout', 'status', 'deploy/web', '--timeout=60s');
    const nodes = await cluster.kubectl('get', 'pods', '-o', 'jsonpath={.items[*].spec.nodeName}');
    expect(new Set(nodes.split(' ')).size).toBe(3);
  });

  it('tells who manages what: the user, the controllers and the nodes', async () => {
    const managers = async (object: string): Promise<string[]> => {
      const path = '{range .items[*].metadata.managedFields[*]}{.manager} {.operation} {.subresource}{"\\n"}{end}';
      const lines = await cluster.kubectl('get', object, '-l', 'app=web', '-o', `jsonpath=${path}`);
      return [...new Set(lines.split('\n').map((line) => line.trim()))].filter(Boolean).sort();
    };
    expect(await managers('deployments')).toEqual([
      ...['kube-controller-manager Update', 'kube-controller-manager Update status', 'kubectl-create Update'],
    ]);
    expect(await managers('pods')).toEqual(['kube-controller-manager Update', 'simulated-nodes Update status']);
  });

  it('counts more pods than one page of a list has', async () => {
    const flags = ['--image=example.com/web', '--replicas=600', '--dry-run=client', '-o', 'yaml'];
    const manifest = await cluster.kubectl('create', 'deployment', 'nowhere', ...flags);
    const input = manifest.replace('resources: {}', 'resources: {requests: {cpu: "1000"}}');
    await cluster.tryKubectl(['create', '-f', '-'], { input });
    await eventually(async () => {
      const { podPhases } = JSON.parse(await cluster.periplus('status', '--json'));
      expect(podPhases).toMatchObject({ Pending: 600 });
    });
    await cluster.kubectl('delete', 'deployment', 'nowhere', '--cascade=foreground');
  });

  it('has no logs of what runs nowhere, and says so', async () => {
    expect(await cluster.kubectl('logs', 'deploy/web')).toMatch(
      /^node sim-\d is simulated: container "web" runs nowhere$/m,
    );
  });

  it('tells kubectl top what nodes and pods are said to use', async () => {
    await eventually(async () => {
      const nodes = await cluster.kubectl('top', 'nodes');
      expect(nodes.split('\n')[0]).toMatch(/^NAME +CPU\(cores\) +CPU\(%\) +MEMORY\(bytes\) +MEMORY\(%\) *$/);
      expect(nodes.match(/^sim-\d +\d+m +\d+% +\d+Mi +\d+% *$/gm)).toHaveLength(3);
      // Half of what they request.
      const pods = await cluster.kubectl('top', 'pods', '--containers', '-l', 'app=web', '--no-headers');
      expect(pods.match(/^web-\S+ +web +1000m +4096Mi *$/gm)).toHaveLength(6);
    });
  });

  it('gives a Service Endpoints, and copies those that somebody wrote to an EndpointSlice', async () => {
    await cluster.kubectl('expose', 'deploy/web', '--port=80', '--target-port=8080');
    await eventually(async () => {
      const ports = await cluster.kubectl('get', 'endpoints', 'web', '-o', 'jsonpath={.subsets[*].ports[*].port}');
      const ips = await cluster.kubectl('get', 'endpoints', 'web', '-o', 'jsonpath={.subsets[*].addresses[*].ip}');
      expect([ports, ips.split(' ').length]).toEqual(['8080', 6]);
    });
    const metadata = { name: 'outside' };
    const ports = [{ name: 'sql', port: 5432, protocol: 'TCP' }];
    const items = [
      { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports } },
      { apiVersion: 'v1', kind: 'Endpoints', metadata, subsets: [{ addresses: [{ ip: '192.0.2.7' }], ports }] },
    ];
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    expect((await cluster.tryKubectl(['apply', '-f', '-'], { input })).code).toBe(0);
    await eventually(async () => {
      const slices = ['get', 'endpointslices', '-l', 'kubernetes.io/service-name=outside', '-o'];
      expect(await cluster.kubectl(...slices, 'jsonpath={.items[*].endpoints[*].addresses[*]}')).toBe('192.0.2.7');
    });
    await cluster.kubectl('delete', 'service', 'web', 'outside');
    await eventually(async () => {
      expect((await cluster.tryKubectl(['get', 'endpoints', 'web'])).stderr).toContain('not found');
    });
  });

  it('says why a pod stays pending, and binds it when a node can take it', async () => {
    await cluster.kubectl('run', 'picky', '--image=a', '--overrides={"spec":{"nodeSelector":{"disk":"ssd"}}}');
    await eventually(async () => {
      const events = await cluster.kubectl('describe', 'pod', 'picky');
      expect(events).toContain("0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.");
    });
    await cluster.kubectl('label', 'node', 'sim-1', 'disk=ssd');
    await cluster.kubectl('wait', 'pod/picky', '--for=condition=Ready', '--timeout=60s');
    expect(await cluster.kubectl('get', 'pod', 'picky', '-o', 'jsonpath={.spec.nodeName}')).toBe('sim-1');
  });

  const nodesOf = async (app: string): Promise<string[]> => {
    const path = 'jsonpath={.items[*].spec.nodeName}';
    return (await cluster.kubectl('get', 'pods', '-l', `app=${app}`, '-o', path)).split(' ').filter(Boolean).sort();
  };

  it('spreads pods of one Deployment that ask for nothing, and keeps pods apart that want to be alone', async () => {
    await cluster.kubectl('create', 'deployment', 'even', '--image=example.com/web', '--replicas=6');
    await cluster.kubectl('rollout', 'status', 'deploy/even', '--timeout=60s');
    expect(await nodesOf('even')).toEqual(['sim-0', 'sim-0', 'sim-1', 'sim-1', 'sim-2', 'sim-2']);
    const flags = ['--image=example.com/web', '--replicas=4', '--dry-run=client', '-o', 'json'];
    const alone = JSON.parse(await cluster.kubectl('create', 'deployment', 'alone', ...flags));
    const term = { labelSelector: { matchLabels: { app: 'alone' } }, topologyKey: 'kubernetes.io/hostname' };
    alone.spec.template.spec.affinity = {
      podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] },
    };
    const { stderr } = await cluster.tryKubectl(['create', '-f', '-'], { input: JSON.stringify(alone) });
    expect(stderr).toBe('');
    await eventually(async () => {
      expect(await nodesOf('alone')).toEqual(['sim-0', 'sim-1', 'sim-2']);
      expect(await cluster.kubectl('describe', 'pods', '-l', 'app=alone')).toContain(
        "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules.",
      );
    });
    await cluster.kubectl('delete', 'deploy', 'even', 'alone');
  });

  it('keeps pods apart from those of their own revision alone, where matchLabelKeys says so', async () => {
    const flags = ['--image=example.com/web', '--replicas=3', '--dry-run=client', '-o', 'json'];
    const apart = JSON.parse(await cluster.kubectl('create', 'deployment', 'apart', ...flags));
    const term = {
      labelSelector: { matchLabels: { app: 'apart' } },
      ...{ matchLabelKeys: ['pod-template-hash'], topologyKey: 'kubernetes.io/hostname' },
    };
    apart.spec.template.spec.affinity = {
      podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] },
    };
    // Every new pod has to come beside an old one.
    apart.spec.strategy = { rollingUpdate: { maxSurge: 3, maxUnavailable: 0 } };
    expect((await cluster.tryKubectl(['create', '-f', '-'], { input: JSON.stringify(apart) })).stderr).toBe('');
    await cluster.kubectl('rollout', 'status', 'deploy/apart', '--timeout=60s');
    await cluster.kubectl('rollout', 'restart', 'deploy/apart');
    await cluster.kubectl('rollout', 'status', 'deploy/apart', '--timeout=60s');
    await eventually(async () => expect(await nodesOf('apart')).toEqual(['sim-0', 'sim-1', 'sim-2']));
    const { items } = JSON.parse(await cluster.kubectl('get', 'pods', '-l', 'app=apart', '-o', 'json'));
    for (const { metadata, spec } of items) {
      const [stored] = spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution;
      const revision = [metadata.labels['pod-template-hash']];
      expect(stored.labelSelector).toEqual({
        ...term.labelSelector,
        matchExpressions: [{ key: 'pod-template-hash', operator: 'In', values: revision }],
      });
    }
    await cluster.kubectl('delete', 'deploy', 'apart');
  });

  it('scales a Deployment by what its pods are said to use, as fast as it was told to look', async () => {
    await cluster.periplus('down');
    const settings = JSON.parse(readFileSync(cluster.folder.settings, 'utf8'));
    const autoscaler = { syncPeriodSeconds: 1, downscaleStabilizationSeconds: 2, cpuInitializationSeconds: 0 };
    const podNetwork = { cidrs: ['10.64.0.0/16', 'fd00:10::/48'] };
    const controllerManager = { autoscaler, podNetwork };
    writeFileSync(cluster.folder.settings, JSON.stringify({ ...settings, controllerManager }));
    await cluster.periplus('up', '--detach');
    const annotate = (cpu: string) =>
      cluster.kubectl('annotate', 'pods', '-l', 'app=web', '--overwrite', `periplus.dev/usage-cpu=${cpu}`);
    await annotate('1500m');
    await cluster.kubectl('autoscale', 'deploy/web', '--cpu=50%', '--min=2', '--max=8');
    // Three quarters of what they request, where half is wanted.
    await eventually(async () => {
      expect(await cluster.kubectl('get', 'deploy', 'web', '-o', 'jsonpath={.spec.replicas}')).toBe('8');
    });
    // Those that came last have to be told as well.
    await cluster.kubectl('rollout', 'status', 'deploy/web', '--timeout=60s');
    await annotate('100m');
    await eventually(async () => {
      expect(await cluster.kubectl('get', 'deploy', 'web', '-o', 'jsonpath={.spec.replicas}')).toBe('2');
    });
    await eventually(async () => {
      const described = await cluster.kubectl('describe', 'hpa', 'web');
      expect(described).toMatch(/SuccessfulRescale .* New size: 2; reason: All metrics below target/);
      expect(described).toMatch(/ScalingActive +True +ValidMetricFound/);
    });
    // Its own status follows with the next look.
    await eventually(async () => {
      const line = await cluster.kubectl('get', 'hpa', 'web', '--no-headers');
      expect(line).toMatch(/^web +Deployment\/web +cpu: 5%\/50% +2 +8 +2 /);
    });
    await cluster.kubectl('delete', 'hpa', 'web');
  });

  it('gives a node that comes without one a range of pod addresses of each family', async () => {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'bare' } });
    expect((await cluster.tryKubectl(['create', '-f', '-'], { input })).stderr).toBe('');
    await eventually(async () => {
      const ranges = await cluster.kubectl('get', 'node', 'bare', '-o', 'jsonpath={.spec.podCIDRs}');
      expect(JSON.parse(ranges)).toEqual(['10.64.0.0/24', 'fd00:10::/64']);
    });
    await cluster.kubectl('delete', 'node', 'bare');
  });

  it('refuses a second up, and says that it is up', async () => {
    expect(await cluster.periplus('up', '--detach')).toContain('cluster default is up already');
  });

  it('finds everything as it was after down and up', async () => {
    const uids = () => cluster.kubectl('get', 'deploy,rs,cm', '-A', '-o', 'jsonpath={.items[*].metadata.uid}');
    const before = await uids();
    await cluster.periplus('down');
    expect(existsSync(cluster.folder.status)).toBe(false);
    await cluster.periplus('up', '--detach');
    expect(await uids()).toBe(before);
    await cluster.kubectl('rollout', 'status', 'deploy/web', '--timeout=60s');
  });

  it('comes back when its supervisor was killed', async () => {
    const { supervisor } = cluster.status();
    process.kill(supervisor.pid, 'SIGKILL');
    await cluster.periplus('up', '--detach');
    expect(cluster.status().supervisor.pid).not.toBe(supervisor.pid);
    await cluster.kubectl('rollout', 'status', 'deploy/web', '--timeout=60s');
  });

  it('shows its processes, nodes and pods', async () => {
    const status = JSON.parse(await cluster.periplus('status', '--json'));
    expect(status.phase).toBe('ready');
    expect(status.processes.map(({ name }: { name: string }) => name)).toContain('api-server');
    expect(status.nodes).toHaveLength(3);
  });

  it('stands beside a second cluster', async () => {
    await using other = await startCluster(1);
    expect(other.settings.ports.apiServer).not.toBe(cluster.settings.ports.apiServer);
    expect((await other.kubectl('get', 'nodes', '-o', 'name')).trim()).toBe('node/sim-0');
    expect(await cluster.kubectl('get', 'nodes', '-o', 'name')).toContain('node/sim-2');
  });
});
