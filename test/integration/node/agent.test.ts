import { once } from 'node:events';
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Kind, type Node, node as nodeKind, pod as podKind } from '@periplus/api';
import { openCri } from '@periplus/cri';
import { issueCertificate } from '@periplus/pki';
import { freePorts, whyNoTestContainers } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AgentHarness, SOON } from './agent-harness.ts';

const reason = whyNoTestContainers();

describe.skipIf(reason)(`the node-agent${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let node: AgentHarness;
  beforeAll(async () => {
    node = await AgentHarness.start();
  });
  afterAll(() => node?.[Symbol.asyncDispose]());

  const eventsOf = (pod: string): string[] =>
    node.cluster.events
      .filter(({ name }) => name === pod)
      .map((event) => `${event.type} ${event.reason}: ${event.message}`);

  /** Asks for a log as the api-server does. Resolves when the answer begins. */
  const openLog = async (pod: string, query: string, groups = ['system:masters']): Promise<IncomingMessage> => {
    const client = await issueCertificate(node.authority, {
      commonName: 'api',
      organizations: groups,
      usages: ['client'],
    });
    return new Promise((resolve, reject) => {
      const path = `/containerLogs/default/${pod}/main${query}`;
      const target = { host: '127.0.0.1', port: node.agent!.port, servername: node.cluster.node, path };
      get({ ...target, ca: node.authority.cert, ...client, agent: false }, resolve).on('error', reject);
    });
  };
  const logOf = async (pod: string, query = '', groups?: string[]): Promise<{ code: number; body: string }> => {
    const response = await openLog(pod, query, groups);
    return { code: response.statusCode!, body: await text(response) };
  };

  it('registers its node, reports it ready and holds its liveness', async () => {
    await vi.waitFor(() => {
      expect(node.cluster.nodeObject?.status?.conditions).toContainEqual(
        expect.objectContaining({ type: 'Ready', status: 'True', reason: 'KubeletReady' }),
      );
    }, SOON);
    expect(node.cluster.nodeObject).toMatchObject({
      metadata: { labels: { 'kubernetes.io/os': 'linux', zone: 'a' } },
      spec: { podCIDR: '10.0.0.0/24' },
      status: { nodeInfo: { containerRuntimeVersion: expect.stringMatching(/^containerd:\/\/1\./) } },
    });
    await vi.waitFor(async () => expect(await node.cluster.isAlive()).toBe(true), SOON);
    await vi.waitFor(() => expect(node.agent!.notReady()).toBeUndefined(), SOON);
  });

  it('tells of its node', async () => {
    const turn = (reason: string): string => `Normal ${reason}: Node ${node.cluster.node} status is now: ${reason}`;
    const told = () => eventsOf(node.cluster.node);
    const first = ['NodeHasSufficientMemory', 'NodeHasNoDiskPressure', 'NodeHasSufficientPID', 'NodeReady'];
    await vi.waitFor(() => {
      expect(told()).toEqual(expect.arrayContaining(['Normal Starting: Starting kubelet.', ...first.map(turn)]));
    }, SOON);
    const cordon = (unschedulable: boolean) => {
      const { spec, ...rest } = node.cluster.object('nodes', '', node.cluster.node) as Node;
      return node.cluster.putObject(nodeKind as never, { ...rest, spec: { ...spec, unschedulable } } as Node);
    };
    await cordon(true);
    await vi.waitFor(() => expect(told()).toContain(turn('NodeNotSchedulable')), SOON);
    await cordon(false);
    await vi.waitFor(() => expect(told()).toContain(turn('NodeSchedulable')), SOON);
  });

  it('contradicts who takes its node for dead', async () => {
    const unknown = { type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' };
    const target = { kind: nodeKind as never, namespace: '', name: node.cluster.node, subresource: 'status' };
    const patch = { status: { conditions: [unknown] } };
    await node.cluster.commands.send({ verb: 'patch', type: 'strategic', ...target, patch }, null);
    await vi.waitFor(() => {
      const ready = node.cluster.nodeObject?.status?.conditions?.find(({ type }) => type === 'Ready');
      expect(ready).toMatchObject({ status: 'True', reason: 'KubeletReady' });
    }, SOON);
  });

  it('runs a pod, tells of it, and takes everything away when it is deleted', async () => {
    const uid = await node.create('plain', { containers: [node.server()] });
    const status = await node.untilRunning('plain');
    expect(status.podIP).toMatch(/^10\./);
    expect(status).toMatchObject({ hostIP: '127.0.0.1', startTime: expect.any(String) });
    expect(status.conditions?.map(({ type, status: value }) => `${type}=${value}`).sort()).toEqual([
      'ContainersReady=True',
      'Initialized=True',
      'PodReadyToStartContainers=True',
      'PodScheduled=True',
      'Ready=True',
    ]);
    expect(node.main('plain')).toMatchObject({
      restartCount: 0,
      containerID: expect.stringMatching(/^containerd:\/\/[0-9a-f]{64}$/),
    });
    await vi.waitFor(
      () =>
        expect(eventsOf('plain')).toEqual([
          'Normal Pulled: Container image "localhost/hello:1" already present on machine and can be accessed by the pod',
          'Normal Created: Container created',
          'Normal Started: Container started',
        ]),
      SOON,
    );
    await vi.waitFor(async () => expect((await logOf('plain')).body).toBe('serving\n'), SOON);
    await node.cluster.deletePod('plain', 10);
    await node.untilGone('plain');
    expect(eventsOf('plain')).toContain('Normal Killing: Stopping container main');
    expect(node.cluster.statusWrites.get('plain')?.at(-1)).toMatchObject({ phase: 'Succeeded' });
    expect(existsSync(join(node.containerd.directory, 'agent/pods', uid))).toBe(false);
    expect(globSync(`/sys/fs/cgroup/**${node.containerd.cgroupRoot}/**/pod${uid}`)).toEqual([]);
    expect(readdirSync(join(node.containerd.directory, 'logs'))).not.toContain(`default_plain_${uid}`);
    // Running and the end; on a busy machine the creation of the container too.
    expect(node.cluster.statusWrites.get('plain')!.length).toBeLessThanOrEqual(3);
  });

  it('kills what does not end by itself after its grace period', async () => {
    await node.create('stubborn', { containers: [node.shell('trap "" TERM; sleep 1000')] });
    await node.untilRunning('stubborn');
    const startedMs = Date.now();
    await node.cluster.deletePod('stubborn', 1);
    await node.untilGone('stubborn');
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(1_000);
    expect(node.cluster.statusWrites.get('stubborn')?.at(-1)).toMatchObject({
      phase: 'Failed',
      containerStatuses: [{ state: { terminated: { exitCode: 137 } } }],
    });
  });

  it('shortens the grace period when it is asked again', async () => {
    await node.create('twice', { containers: [node.shell('trap "" TERM; sleep 1000')] });
    await node.untilRunning('twice');
    await node.cluster.deletePod('twice', 600);
    await vi.waitFor(() => expect(eventsOf('twice').join()).toContain('Killing'), SOON);
    await node.cluster.deletePod('twice', 1);
    await node.untilGone('twice');
  });

  it('ends what it finds no pod for any more', async () => {
    const uid = await node.create('forced', { containers: [node.server()] });
    await node.untilRunning('forced');
    await node.cluster.deletePod('forced', 0);
    const cri = openCri(node.containerd.socket);
    await vi.waitFor(async () => {
      const labels = { 'io.kubernetes.pod.uid': uid };
      expect([...(await cri.listSandboxes({ labels })), ...(await cri.listContainers({ labels }))]).toEqual([]);
    }, SOON);
    cri.close();
  });

  it('gives a container its environment, files, resources and identity', async () => {
    node.cluster.put('configmaps', 'config', { COLOR: 'red', 'app.conf': 'x=1' });
    node.cluster.put('secrets', 'secret', { PASSWORD: Buffer.from('hush').toString('base64') });
    const script = `
      echo "env $COLOR $PASS $POD_IP $KUBERNETES_SERVICE_HOST $(id -u):$(id -g) $(hostname) $1"
      echo "files $(cat /config/app.conf) $(cat /secret/PASSWORD) $(cat /projected/token) $(stat -Lc %a /secret/PASSWORD)"
      echo "only $(cat /only.conf)"
      echo "hosts $(grep -c spread /etc/hosts) $(grep -c alias.example /etc/hosts)"
      echo "dns $(grep -c 9.9.9.9 /etc/resolv.conf) $(grep -c ndots:3 /etc/resolv.conf)"
      echo "limits $(cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max)"
      echo "tmpfs $(stat -f -c %T /memory) $(touch /memory/a && echo ok)"
      touch /config/x 2>/dev/null || echo "read-only config"
      echo "said" > /dev/termination-log
      echo shared > /empty/from-init; cat /empty/from-init`;
    await node.create('spread', {
      restartPolicy: 'Never',
      securityContext: { runAsUser: 2000, runAsGroup: 3000, fsGroup: 3000 },
      hostAliases: [{ ip: '1.2.3.4', hostnames: ['alias.example'] }],
      dnsPolicy: 'None',
      dnsConfig: { nameservers: ['9.9.9.9'], options: [{ name: 'ndots', value: '3' }] },
      volumes: [
        { name: 'config', configMap: { name: 'config' } },
        { name: 'secret', secret: { secretName: 'secret', defaultMode: 0o400 } },
        { name: 'empty', emptyDir: {} },
        { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
        { name: 'projected', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } },
      ],
      containers: [
        node.shell(script, {
          args: ['sh', '$(COLOR)-arg'],
          resources: { limits: { memory: '64Mi', cpu: '500m' } },
          envFrom: [{ configMapRef: { name: 'config' } }],
          env: [
            { name: 'PASS', valueFrom: { secretKeyRef: { name: 'secret', key: 'PASSWORD' } } },
            { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          ],
          volumeMounts: [
            { name: 'config', mountPath: '/config' },
            { name: 'config', mountPath: '/only.conf', subPath: 'app.conf' },
            { name: 'secret', mountPath: '/secret' },
            { name: 'empty', mountPath: '/empty' },
            { name: 'memory', mountPath: '/memory' },
            { name: 'projected', mountPath: '/projected' },
          ],
        }),
      ],
    });
    const status = await node.until('spread', ({ phase }) => phase === 'Succeeded' || phase === 'Failed');
    const { body } = await logOf('spread');
    expect(body.split('\n')).toEqual([
      `env red hush ${status.podIP} 10.96.0.1 2000:3000 spread red-arg`,
      'files x=1 hush token of default for spread at the API 440',
      'only x=1',
      'hosts 1 1',
      'dns 1 1',
      'limits 67108864',
      'tmpfs tmpfs ok',
      'read-only config',
      'shared',
      '',
    ]);
    expect(status).toMatchObject({ phase: 'Succeeded' });
    expect(node.main('spread')?.state).toMatchObject({
      terminated: { exitCode: 0, reason: 'Completed', message: 'said\n' },
    });
    await node.cluster.deletePod('spread', 0);
  });

  it('keeps the files of a ConfigMap up to date in a running container', async () => {
    node.cluster.put('configmaps', 'live', { text: 'old' });
    await node.create('live', {
      volumes: [{ name: 'v', configMap: { name: 'live' } }],
      containers: [
        node.shell('while :; do cat /v/text; echo; sleep 0.1; done', {
          volumeMounts: [{ name: 'v', mountPath: '/v' }],
        }),
      ],
    });
    await node.untilRunning('live');
    node.cluster.put('configmaps', 'live', { text: 'new' });
    await vi.waitFor(async () => expect((await logOf('live', '?tailLines=1')).body).toBe('new\n'), SOON);
    await node.cluster.deletePod('live', 0);
  });

  it('says what is missing, and goes on when it is there', async () => {
    await node.create('needs', {
      volumes: [{ name: 'v', configMap: { name: 'late' } }],
      containers: [node.server({ volumeMounts: [{ name: 'v', mountPath: '/v' }] })],
    });
    await vi.waitFor(
      () =>
        expect(eventsOf('needs')).toContain(
          'Warning FailedMount: MountVolume.SetUp failed for volume "v" : configmap "late" not found',
        ),
      SOON,
    );
    await node.until(
      'needs',
      ({ containerStatuses }) => containerStatuses?.[0]?.state.waiting?.reason === 'ContainerCreating',
    );
    node.cluster.put('configmaps', 'late', { a: '1' });
    await node.untilRunning('needs');
    await node.cluster.deletePod('needs', 0);
  });

  it.each([
    [
      'CreateContainerConfigError',
      { env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'absent', key: 'k' } } }] },
      'configmap "absent" not found',
    ],
    [
      'ErrImageNeverPull',
      { image: 'localhost/absent:1', imagePullPolicy: 'Never' },
      'Container image "localhost/absent:1" is not present with pull policy of Never',
    ],
    ['InvalidImageName', { image: 'Not An Image' }, 'invalid reference format'],
    ['RunContainerError', { command: ['/no/such/file'] }, 'no such file or directory'],
  ])('reports %s', async (expected, container, message) => {
    const name = expected.toLowerCase();
    await node.create(name, { containers: [node.server(container)] });
    const status = await node.until(name, ({ containerStatuses }) =>
      Boolean(containerStatuses?.[0]?.state.waiting?.message),
    );
    expect(status.containerStatuses?.[0]?.state.waiting).toMatchObject({
      reason: expected,
      message: expect.stringContaining(message),
    });
    await node.cluster.deletePod(name, 0);
  });

  it('backs off from an image that can not be pulled', async () => {
    await node.create('unpulled', { containers: [node.server({ image: '127.0.0.1:1/absent:1' })] });
    await node.until(
      'unpulled',
      ({ containerStatuses }) => containerStatuses?.[0]?.state.waiting?.reason === 'ErrImagePull',
    );
    await node.until(
      'unpulled',
      ({ containerStatuses }) => containerStatuses?.[0]?.state.waiting?.reason === 'ImagePullBackOff',
    );
    expect(node.main('unpulled')?.state.waiting?.message).toContain(
      'Back-off pulling image "127.0.0.1:1/absent:1": ErrImagePull: ',
    );
    expect(eventsOf('unpulled').map((event) => event.split(':')[0])).toEqual(
      expect.arrayContaining(['Normal Pulling', 'Warning Failed', 'Normal BackOff']),
    );
    await node.cluster.deletePod('unpulled', 0);
  });

  it('does not wait for an image that nobody needs any more', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    await node.create('waiting', { containers: [node.server({ image: `127.0.0.1:${port}/slow:1` })] });
    await vi.waitFor(() => expect(eventsOf('waiting').join()).toContain('Pulling image'), SOON);
    await node.cluster.deletePod('waiting', 30);
    await node.untilGone('waiting');
    silent.close();
  });

  it('restarts a container that ends, at once and then with back-off', async () => {
    await node.create('crash', { containers: [node.shell('echo "bye"; exit 3')] });
    const status = await node.until(
      'crash',
      ({ containerStatuses }) => containerStatuses?.[0]?.state.waiting?.reason === 'CrashLoopBackOff',
    );
    expect(status.phase).toBe('Running');
    expect(status.containerStatuses?.[0]).toMatchObject({
      restartCount: 1,
      ready: false,
      state: {
        waiting: {
          message: expect.stringMatching(/^back-off 10s restarting failed container=main pod=crash_default\(/),
        },
      },
      lastState: { terminated: { exitCode: 3, reason: 'Error' } },
    });
    const backoff = /^Warning BackOff: Back-off restarting failed container main in pod crash_default\(/;
    await vi.waitFor(() => expect(eventsOf('crash')).toContainEqual(expect.stringMatching(backoff)), SOON);
    expect((await logOf('crash', '?previous=true')).body).toBe('bye\n');
    await node.cluster.deletePod('crash', 0);
  });

  it('finishes pods that are not to be restarted', async () => {
    await node.create('once', { restartPolicy: 'OnFailure', containers: [node.shell('exit 0')] });
    await node.create('never', { restartPolicy: 'Never', containers: [node.shell('exit 4')] });
    expect((await node.until('once', ({ phase }) => phase === 'Succeeded')).conditions).toContainEqual(
      expect.objectContaining({ type: 'Ready', status: 'False', reason: 'PodCompleted' }),
    );
    await node.until('never', ({ phase }) => phase === 'Failed');
    expect(node.main('never')?.state).toMatchObject({ terminated: { exitCode: 4, reason: 'Error' } });
  });

  it('runs init containers in their order, sidecars beside the rest, and all of them on shared files', async () => {
    const volumeMounts = [{ name: 'work', mountPath: '/shared' }];
    const initContainers = [
      node.shell('echo 1 >> /shared/order', { name: 'first', volumeMounts }),
      node.shell('echo s >> /shared/order; trap "exit 0" TERM; sleep 1000 & wait', {
        name: 'side',
        restartPolicy: 'Always',
        volumeMounts,
        startupProbe: { exec: { command: ['test', '-f', '/shared/order'] }, periodSeconds: 1 },
      }),
      node.shell('echo 2 >> /shared/order', { name: 'second', volumeMounts }),
    ];
    await node.create('inits', {
      restartPolicy: 'Never',
      volumes: [{ name: 'work', emptyDir: {} }],
      initContainers,
      containers: [node.shell('cat /shared/order', { volumeMounts })],
    });
    const status = await node.until('inits', ({ phase }) => phase === 'Succeeded');
    expect((await logOf('inits')).body).toBe('1\ns\n2\n');
    expect(status.initContainerStatuses?.map(({ name, state }) => [name, state.terminated?.reason])).toEqual([
      ['first', 'Completed'],
      ['side', 'Completed'],
      ['second', 'Completed'],
    ]);
    await node.cluster.deletePod('inits', 0);
  });

  it('probes containers, and restarts those that fail', async () => {
    // A busy machine takes its time to answer.
    const patient = { periodSeconds: 1, timeoutSeconds: 10 };
    await node.create('probed', {
      terminationGracePeriodSeconds: 1,
      containers: [
        node.shell('mkdir -p /tmp/www; echo ok > /tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www', {
          readinessProbe: { httpGet: { path: '/', port: 8080 }, ...patient },
          livenessProbe: { exec: { command: ['test', '!', '-f', '/tmp/dead'] }, ...patient, failureThreshold: 1 },
        }),
      ],
    });
    await node.untilRunning('probed');
    const cri = openCri(node.containerd.socket);
    const id = (): string => node.main('probed')!.containerID!.replace('containerd://', '');
    await cri.exec(id(), ['rm', '/tmp/www/index.html'], 5);
    await node.until('probed', ({ containerStatuses }) => containerStatuses?.[0]?.ready === false);
    expect(eventsOf('probed')).toContain(
      'Warning Unhealthy: Readiness probe failed: HTTP probe failed with statuscode: 404',
    );
    await cri.exec(id(), ['touch', '/tmp/dead'], 5);
    await node.until('probed', ({ containerStatuses }) => (containerStatuses?.[0]?.restartCount ?? 0) > 0);
    await node.untilRunning('probed');
    expect(eventsOf('probed')).toContain('Normal Killing: Container main failed liveness probe, will be restarted');
    await node.cluster.deletePod('probed', 0);
    cri.close();
  });

  it('runs hooks after the start and before the end', async () => {
    const script = 'echo up; trap "cat /tmp/hooks; exit 0" TERM; while :; do sleep 1000 & wait $!; done';
    const hook = (word: string): object => ({ exec: { command: ['sh', '-c', `echo ${word} >> /tmp/hooks`] } });
    await node.create('hooked', {
      containers: [node.shell(script, { lifecycle: { postStart: hook('started'), preStop: hook('stopping') } })],
    });
    await node.untilRunning('hooked');
    const log = text(await openLog('hooked', '?follow=true'));
    await node.cluster.deletePod('hooked', 10);
    await node.untilGone('hooked');
    expect(await log).toBe('up\nstarted\nstopping\n');
  });

  it('fails a pod whose time is up', async () => {
    await node.create('late', { containers: [node.server()] });
    await node.untilRunning('late');
    const pod = node.cluster.pod('late')!;
    const object = { apiVersion: 'v1', kind: 'Pod', ...pod, spec: { ...pod.spec, activeDeadlineSeconds: 1 } };
    await node.cluster.putObject(podKind as unknown as Kind, object);
    const status = await node.until('late', ({ phase }) => phase === 'Failed');
    expect(status.reason).toBe('DeadlineExceeded');
    await node.until('late', ({ containerStatuses }) => containerStatuses?.[0]?.state.running === undefined);
    await node.cluster.deletePod('late', 0);
  });

  it('shows logs to the api-server and to nobody else', async () => {
    await node.create('talks', { containers: [node.shell('for i in 1 2 3; do echo line $i; done; sleep 1000')] });
    await node.untilRunning('talks');
    await vi.waitFor(async () => expect((await logOf('talks')).body).toBe('line 1\nline 2\nline 3\n'), SOON);
    expect((await logOf('talks', '?tailLines=1&timestamps=true')).body).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z line 3\n$/);
    expect(await logOf('talks', '', ['system:nodes'])).toMatchObject({ code: 403 });
    expect(await logOf('nope')).toEqual({ code: 404, body: 'pod "nope" not found\n' });
    expect(await logOf('talks', '?previous=true')).toEqual({
      code: 400,
      body: 'previous terminated container "main" in pod "talks" not found\n',
    });
    await node.cluster.deletePod('talks', 0);
  });

  it('mounts a part of a volume again when a container is restarted', async () => {
    await node.create('part', {
      volumes: [{ name: 'v', emptyDir: {} }],
      containers: [
        node.shell('echo run >> /part/runs; cat /part/runs; sleep 0.2; exit 1', {
          volumeMounts: [{ name: 'v', mountPath: '/part', subPathExpr: 'of-$(NAME)' }],
          env: [{ name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
        }),
      ],
    });
    await node.until('part', ({ containerStatuses }) => containerStatuses?.[0]?.restartCount === 1);
    await vi.waitFor(async () => expect((await logOf('part')).body).toBe('run\nrun\n'), SOON);
    const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
    expect(
      mounts.filter((line) => line.includes(`${node.cluster.pod('part')!.metadata.uid}/volume-subpaths/`)),
    ).toHaveLength(1);
    await node.cluster.deletePod('part', 0);
  });

  it('opens a port of the machine', async () => {
    const [hostPort] = await freePorts(1);
    await node.create('ported', {
      containers: [
        node.shell('echo hello | nc -l -p 8080; sleep 1000', {
          ports: [{ containerPort: 8080, hostPort, hostIP: '127.0.0.1' }],
        }),
      ],
    });
    await node.untilRunning('ported');
    await vi.waitFor(async () => {
      const socket = connect(hostPort!, '127.0.0.1');
      expect(await text(socket)).toBe('hello\n');
    }, SOON);
    await node.cluster.deletePod('ported', 0);
  });

  it('shares the network and processes of the machine when it is asked to', async () => {
    await node.create('host', {
      restartPolicy: 'Never',
      hostNetwork: true,
      hostPID: true,
      containers: [
        node.shell('cat /proc/1/comm; ls /proc | grep -c "^[0-9]"', {
          securityContext: { runAsUser: 0, privileged: true },
        }),
      ],
    });
    const status = await node.until('host', ({ phase }) => phase === 'Succeeded' || phase === 'Failed');
    expect(status).toMatchObject({ phase: 'Succeeded', podIP: '127.0.0.1' });
    const [comm] = (await logOf('host')).body.split('\n');
    expect(comm).toBe(readFileSync('/proc/1/comm', 'utf8').trim());
    await node.cluster.deletePod('host', 0);
  });

  it('left nothing to be ashamed of in its log', () => {
    const noise = /FailedMount|configmap \\?"late\\?"|a step for a pod failed.*"needs"/;
    expect(node.logged.filter((line) => /^(warn|error)/.test(line) && !noise.test(line))).toEqual([]);
  });
});
