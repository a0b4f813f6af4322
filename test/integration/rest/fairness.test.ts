import { request } from 'node:https';
import { configMap as mapKind } from '@periplus/api';
import { openCommandClient, openResourceClient } from '@periplus/client';
import { eventually } from '@periplus/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, TestServer } from './test-server.ts';

let server: TestServer;
/** Who has a certificate of his own, which gRPC asks for. */
const PROGRAM = 'system:kube-scheduler';
const FLOW = '/apis/flowcontrol.apiserver.k8s.io/v1';
const MAPS = '/api/v1/namespaces/default/configmaps';

const level = (name: string, shares: number, queuing: object | null) => ({
  ...{ apiVersion: 'flowcontrol.apiserver.k8s.io/v1', kind: 'PriorityLevelConfiguration', metadata: { name } },
  spec: {
    type: 'Limited',
    limited: {
      nominalConcurrencyShares: shares,
      borrowingLimitPercent: 0,
      limitResponse: queuing ? { type: 'Queue', queuing } : { type: 'Reject' },
    },
  },
});
const schema = (name: string, to: string, user: string) => ({
  ...{ apiVersion: 'flowcontrol.apiserver.k8s.io/v1', kind: 'FlowSchema', metadata: { name } },
  spec: {
    priorityLevelConfiguration: { name: to },
    matchingPrecedence: 10,
    distinguisherMethod: { type: 'ByUser' },
    rules: [
      {
        subjects: [{ kind: 'User', user: { name: user } }],
        resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }],
      },
    ],
  },
});
const configMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
const uids: Record<string, string> = {};

/** A request in somebody else's name. */
const askAs = (user: string, method: string, path: string, body?: object) =>
  server.ask(method, path, { ...(body && { body }), headers: { 'impersonate-user': user } });

/** A request that stops in the middle of its body, and holds its seat. */
function slowly(user: string, body: object): { goOn(): void; code: Promise<number | undefined> } {
  const text = JSON.stringify(body);
  const pair = { ca: server.pem('ca.crt'), cert: server.pem('admin.crt'), key: server.pem('admin.key') };
  const headers = { 'content-type': 'application/json', 'content-length': text.length, 'impersonate-user': user };
  const sent = request({ ...pair, host: '127.0.0.1', port: server.port, method: 'POST', path: MAPS, headers });
  sent.write(text.slice(0, 10));
  const code = new Promise<number | undefined>((resolve, reject) => {
    sent.on('response', (answer) => resolve(answer.resume().statusCode)).on('error', reject);
  });
  return { goOn: () => sent.end(text.slice(10)), code };
}

/** Resolves when a metric of the level `tiny` has a value. */
const shows = (metric: string, value: number) =>
  eventually(async () =>
    expect((await server.ask('GET', '/metrics')).body).toContain(
      `apiserver_flowcontrol_${metric}{priority_level="tiny"} ${value}\n`,
    ),
  );

beforeAll(async () => {
  server = await TestServer.start();
  const make = async (path: string, body: { metadata: { name: string } }) => {
    const { code, json } = await server.ask('POST', path, { body });
    expect([code, json.message]).toEqual([201, undefined]);
    uids[body.metadata.name] = json.metadata.uid;
  };
  // So many shares that the other levels have a seat each.
  await make(`${FLOW}/prioritylevelconfigurations`, level('most', 1_000_000, null));
  const queuing = { queues: 1, handSize: 1, queueLengthLimit: 2 };
  await make(`${FLOW}/prioritylevelconfigurations`, level('tiny', 1, queuing));
  await make(`${FLOW}/flowschemas`, schema('noisy', 'tiny', 'noisy'));
  await make(`${FLOW}/flowschemas`, schema('quiet', 'most', 'quiet'));
  await make(`${FLOW}/flowschemas`, schema('program', 'tiny', PROGRAM));
  await make('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding' },
    metadata: { name: 'everybody' },
    subjects: ['noisy', 'quiet', PROGRAM].map((name) => ({
      kind: 'User',
      name,
      apiGroup: 'rbac.authorization.k8s.io',
    })),
    roleRef: { kind: 'ClusterRole', name: 'cluster-admin', apiGroup: 'rbac.authorization.k8s.io' },
  } as { metadata: { name: string } });
  await eventually(async () => expect((await askAs('noisy', 'GET', `${MAPS}?resourceVersion=0`)).code).toBe(200));
});
afterAll(() => server[Symbol.asyncDispose]());

describe('priority and fairness', () => {
  it('names the flow of each answer', async () => {
    const { headers } = await askAs('noisy', 'GET', MAPS);
    expect(headers['x-kubernetes-pf-flowschema-uid']).toBe(uids.noisy);
    expect(headers['x-kubernetes-pf-prioritylevel-uid']).toBe(uids.tiny);
    const missing = await askAs('quiet', 'GET', `${MAPS}/none`);
    expect([missing.code, missing.headers['x-kubernetes-pf-flowschema-uid']]).toEqual([404, uids.quiet]);
  });

  it('keeps a client that asks too much from harming the others', async () => {
    const first = slowly('noisy', configMap('noisy'));
    await shows('current_executing_seats', 1);
    const all = Array.from({ length: 9 }, (_, i) => askAs('noisy', 'POST', MAPS, configMap(`noisy-${i}`)));
    const answered: Answer[] = [];
    for (const one of all) void one.then((answer) => answered.push(answer));
    await eventually(() => expect(answered).toHaveLength(7));
    await shows('current_inqueue_requests', 2);
    expect(answered.map(({ code }) => code)).toEqual(new Array(7).fill(429));
    expect(answered[0]!.json).toMatchObject({
      kind: 'Status',
      reason: 'TooManyRequests',
      message: 'the server has received too many requests and has asked us to try again later',
      details: { retryAfterSeconds: 1 },
    });
    expect(answered[0]!.headers).toMatchObject({ 'retry-after': '1', 'x-kubernetes-pf-flowschema-uid': uids.noisy });
    expect((await askAs('quiet', 'GET', `${MAPS}?resourceVersion=0`)).code).toBe(200);
    // Long-running requests hold no seat once they stand.
    const watches = await Promise.all(
      [1, 2, 3].map(() => server.open('GET', `${MAPS}?watch=1`, { headers: { 'impersonate-user': 'quiet' } })),
    );
    expect(watches.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200]);
    for (const watch of watches) watch.destroy();

    first.goOn();
    expect(await first.code).toBe(201);
    await Promise.all(all);
    expect(answered.slice(7).map(({ code }) => code)).toEqual([201, 201]);
    const { body } = await server.ask('GET', '/metrics');
    const flow = 'flow_schema="noisy",priority_level="tiny"';
    expect(body).toContain(`apiserver_flowcontrol_rejected_requests_total{${flow},reason="queue-full"} 7`);
    expect(body).toContain(`apiserver_flowcontrol_request_wait_duration_seconds_count{${flow}} 2`);
    expect(body).toContain('apiserver_flowcontrol_current_inqueue_requests{priority_level="tiny"} 0');
    expect(body).toContain('apiserver_flowcontrol_current_executing_seats{priority_level="tiny"} 0');
  });

  it('gives calls and messages of commands over gRPC a seat like any other request', async () => {
    const tls = { ca: server.pem('ca.crt'), cert: server.pem('scheduler.crt'), key: server.pem('scheduler.key') };
    const options = { targets: [`127.0.0.1:${server.grpcPort}`], tls };
    const [calls, commands] = [openResourceClient(options), openCommandClient(options)];
    const create = (name: string) =>
      commands.send(
        { ...{ verb: 'create', kind: mapKind as never, namespace: 'default', name }, object: configMap(name) as never },
        null,
      );
    const first = slowly(PROGRAM, configMap('held'));
    await shows('current_executing_seats', 1);
    // A message of two commands waits as one.
    const waiting = [Promise.all([create('message-1'), create('message-2')]), calls.list(mapKind, 'default')];
    await shows('current_inqueue_requests', 2);
    const refused = { reason: 'TooManyRequests', details: { retryAfterSeconds: 1 } };
    await expect(calls.get(mapKind, 'default', 'held')).rejects.toMatchObject(refused);
    await expect(create('late')).rejects.toMatchObject(refused);
    const watching = calls.watch(mapKind, 'default')[Symbol.asyncIterator]();
    await expect(watching.next()).rejects.toMatchObject(refused);

    first.goOn();
    expect(await first.code).toBe(201);
    await Promise.all(waiting);
    await shows('current_executing_seats', 0);
    // Nor does a watch that stands hold one.
    const ending = new AbortController();
    const { signal } = ending;
    const seen = calls.watch(mapKind, 'default', { sendInitialEvents: true, allowBookmarks: true, signal });
    for await (const { type } of seen) if (type === 'BOOKMARK') break;
    await shows('current_executing_seats', 0);
    ending.abort();
    const { body } = await server.ask('GET', '/metrics');
    const flow = 'flow_schema="program",priority_level="tiny"';
    expect(body).toContain(`apiserver_flowcontrol_dispatched_requests_total{${flow}} 4\n`);
    expect(body).toContain(`apiserver_flowcontrol_rejected_requests_total{${flow},reason="queue-full"} 3\n`);
    expect(body).toContain(`apiserver_flowcontrol_request_wait_duration_seconds_count{${flow}} 2\n`);
    calls.close();
    await commands.close();
  });

  it('follows its objects', async () => {
    const change = { spec: { priorityLevelConfiguration: { name: 'most' } } };
    const headers = { 'content-type': 'application/merge-patch+json' };
    await server.ask('PATCH', `${FLOW}/flowschemas/noisy`, { body: change, headers });
    const flow = async () => (await askAs('noisy', 'GET', MAPS)).headers['x-kubernetes-pf-prioritylevel-uid'];
    await eventually(async () => expect(await flow()).toBe(uids.most));
    await server.ask('DELETE', `${FLOW}/flowschemas/noisy`);
    await eventually(async () => expect(await flow()).not.toBe(uids.most));
  });
});
