import { startCluster } from '@periplus/testing';
import { type Figure, figure } from '../figure.ts';
import { benchPod } from '../pod.ts';
import { jsonRequest, RawConnection } from '../raw-https.ts';
import { perSecond } from '../together.ts';

const RUNS = 5;
const WARM_UP_RUNS = 2;
const RUN_MS = 3_000;
const CONNECTIONS = 64;
const APPLY = 'application/apply-patch+yaml';
const ADMITTING = 'admitting';

/** Pods that no scheduler takes. */
const waitingPod = (name: string, namespace: string) => {
  const pod = benchPod(name, namespace);
  return { ...pod, spec: { ...pod.spec, schedulerName: 'nobody' } };
};

/**
 * Server-side apply, and creates where everything that admission can look at is there: limits, a quota, and a standard
 * of pod security that warns. Each beside plain creates in the same minute.
 */
export async function applies(): Promise<Figure[]> {
  await using cluster = await startCluster(1);
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => RawConnection.open(cluster.admin)));
  const send = async (lane: number, method: string, path: string, body: unknown, type?: string): Promise<void> => {
    const { status, body: answer } = await connections[lane]!.send(jsonRequest(method, path, body, type));
    if (status !== 200 && status !== 201) {
      throw new Error(`${method} ${path} answered ${status}: ${answer.toString().slice(0, 300)}`);
    }
  };
  const sum = { applied: [] as number[], reapplied: [] as number[], admitted: [] as number[] };
  const seen = {
    creates: [] as number[],
    applies: [] as number[],
    reapplies: [] as number[],
    admitted: [] as number[],
  };
  await furnish(ADMITTING, (path, body) => send(0, 'POST', path, body));

  const create = (namespace: string, run: number): Promise<number> =>
    perSecond(CONNECTIONS, RUN_MS, (lane, turn) =>
      send(lane, 'POST', podsIn(namespace), waitingPod(`made-${run}-${lane}-${turn}`, namespace)),
    );
  const apply = (run: number): Promise<number> =>
    perSecond(CONNECTIONS, RUN_MS, (lane, turn) => {
      const name = `applied-${run}-${lane}-${turn}`;
      return send(lane, 'PATCH', applied(name), waitingPod(name, 'default'), APPLY);
    });
  const reapply = (run: number): Promise<number> =>
    perSecond(CONNECTIONS, RUN_MS, (lane, turn) => {
      const pod = waitingPod(`again-${lane}`, 'default');
      const labels = { ...pod.metadata.labels, turn: `${run}-${turn}` };
      return send(lane, 'PATCH', applied(pod.metadata.name), { ...pod, metadata: { ...pod.metadata, labels } }, APPLY);
    });

  for (let run = 0; run < WARM_UP_RUNS + RUNS; run += 1) {
    const creates = await create('default', run);
    const [applies, reapplies, admitted] = [await apply(run), await reapply(run), await create(ADMITTING, run)];
    if (run < WARM_UP_RUNS) continue;
    seen.creates.push(creates);
    seen.applies.push(applies);
    seen.reapplies.push(reapplies);
    seen.admitted.push(admitted);
    sum.applied.push(applies / creates);
    sum.reapplied.push(reapplies / creates);
    sum.admitted.push(admitted / creates);
  }
  for (const connection of connections) connection.close();
  const details = Object.fromEntries(Object.entries(seen).map(([name, rates]) => [name, rates.map(Math.round)]));
  return [
    figure('server-side apply that creates a pod / plain create', 'x', sum.applied, undefined, details),
    figure('server-side apply that changes a label of a pod / plain create', 'x', sum.reapplied),
    figure('pod creates under limits, a quota and pod security / plain create', 'x', sum.admitted),
  ];
}

const podsIn = (namespace: string): string => `/api/v1/namespaces/${namespace}/pods`;
const applied = (name: string): string => `${podsIn('default')}/${name}?fieldManager=bench&force=true`;

/** A namespace with all that admission looks at. */
async function furnish(namespace: string, post: (path: string, body: unknown) => Promise<void>): Promise<void> {
  const labels = { 'pod-security.kubernetes.io/warn': 'baseline', 'pod-security.kubernetes.io/enforce': 'baseline' };
  await post('/api/v1/namespaces', { metadata: { name: namespace, labels } });
  const limits = [{ type: 'Container', default: { cpu: '1' }, defaultRequest: { cpu: '1m' }, max: { memory: '1Gi' } }];
  await post(`/api/v1/namespaces/${namespace}/limitranges`, { metadata: { name: 'limits' }, spec: { limits } });
  const hard = { pods: '10000000', 'requests.cpu': '10000000' };
  await post(`/api/v1/namespaces/${namespace}/resourcequotas`, { metadata: { name: 'quota' }, spec: { hard } });
}
